package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/fix"
)

// granted is one entry of what the caller may do: all that an action covers and
// no not-action does ("Permissions - List For Resource", API version 2022-04-01).
type granted struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Missing implements [change.Cloud]. That the permissions themselves may not be
// read is an error that names the permission for it.
func (c *Cloud) Missing(ctx context.Context, s fix.Server, permissions []string) ([]string, error) {
	var grants []granted
	address := c.client.Address(arm.EscapedPath(s.ID)+"/providers/Microsoft.Authorization/permissions", permissionsVersion)
	err := c.client.List(ctx, address, func(item json.RawMessage) error {
		var g granted
		if err := json.Unmarshal(item, &g); err != nil {
			return fmt.Errorf("read a permission: %w", err)
		}
		grants = append(grants, g)
		return nil
	})
	if err != nil {
		return nil, c.failed("list the permissions", "Microsoft.Authorization/permissions/read", s.ID, err)
	}
	var missing []string
	for _, p := range permissions {
		if !permits(grants, p) {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// permits reports whether one of the grants covers a permission. Each role's
// not-actions take from its own actions only.
func permits(grants []granted, permission string) bool {
	for _, g := range grants {
		if anyCovers(g.Actions, permission) && !anyCovers(g.NotActions, permission) {
			return true
		}
	}
	return false
}

func anyCovers(patterns []string, permission string) bool {
	for _, p := range patterns {
		if covers(strings.ToLower(p), strings.ToLower(permission)) {
			return true
		}
	}
	return false
}

// covers reports whether a role action, with * for any text, covers a permission.
func covers(pattern, permission string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == permission
	}
	first, last := parts[0], parts[len(parts)-1]
	rest, ok := strings.CutPrefix(permission, first)
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

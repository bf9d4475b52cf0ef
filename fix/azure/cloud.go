package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/resourcetype"
)

// The API versions of what is not a database: Microsoft.Authorization's locks and
// permissions, and the list of subscriptions.
const (
	locksVersion         = "2020-05-01"
	permissionsVersion   = "2022-04-01"
	subscriptionsVersion = "2022-12-01"
)

// Cloud changes firewall rules in one Azure. It implements [change.Cloud].
type Cloud struct {
	cloud  arm.Cloud
	client *arm.Client
}

// New returns the cloud behind a client of its Resource Manager.
func New(cloud arm.Cloud, client *arm.Client) *Cloud { return &Cloud{cloud: cloud, client: client} }

var _ change.Cloud = (*Cloud)(nil)

// Identity implements [change.Cloud]. The tenant is the token's; where the token
// does not tell, it is that of the subscriptions if they all have the same one.
func (c *Cloud) Identity(ctx context.Context) (change.Identity, error) {
	who, err := c.client.Principal(ctx)
	if err != nil {
		return change.Identity{}, err
	}
	id := change.Identity{
		Cloud:     fix.Cloud{Name: c.cloud.Name, Endpoint: c.cloud.ARM.String(), Tenant: who.Tenant},
		Principal: who.Name,
	}
	if id.Cloud.Tenant == "" {
		id.Cloud.Tenant, err = c.tenantOfSubscriptions(ctx)
	}
	return id, c.client.ScrubError(err)
}

func (c *Cloud) tenantOfSubscriptions(ctx context.Context) (string, error) {
	tenant, several := "", false
	err := c.client.List(ctx, c.client.Address("/subscriptions", subscriptionsVersion), func(item json.RawMessage) error {
		var doc struct{ TenantID string }
		if err := json.Unmarshal(item, &doc); err != nil {
			return fmt.Errorf("read a subscription: %w", err)
		}
		several = several || tenant != "" && !strings.EqualFold(tenant, doc.TenantID)
		tenant = doc.TenantID
		return nil
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("find out which tenant this is: %w", err)
	case several || tenant == "":
		return "", errors.New("find out which tenant this is: the token does not tell, and the subscriptions are not all of one tenant; sign in with `az login --tenant`")
	}
	return tenant, nil
}

// Server implements [change.Cloud].
func (c *Cloud) Server(ctx context.Context, s fix.Server) (*asset.Asset, error) {
	t, known := resourcetype.Lookup(s.Type)
	if !known {
		return nil, resourcetype.UnknownTypeError{Type: s.Type}
	}
	path := arm.EscapedPath(s.ID)
	body, err := c.client.Get(ctx, c.client.Address(path, s.APIVersion))
	if err != nil {
		return nil, c.failed("read the server", t.ReadPermission(), s.ID, err)
	}
	a := &asset.Asset{
		ID: s.ID, Type: t.Name, Name: s.Name, SubscriptionID: s.SubscriptionID, ResourceGroup: s.ResourceGroup,
		Location: s.Location, Origin: asset.Origin{Source: "arm", APIVersion: s.APIVersion},
		Body: body, Children: map[string]asset.Children{},
	}
	var doc struct{ ID string }
	if err := json.Unmarshal(body, &doc); err != nil || !asset.SameID(doc.ID, s.ID) {
		return nil, fmt.Errorf("read the server %s: the answer is not about it", s.ID)
	}
	for _, child := range t.Children {
		list := asset.Children{Items: []json.RawMessage{}}
		err := c.client.List(ctx, c.client.Address(path+"/"+child.Name, s.APIVersion), func(item json.RawMessage) error {
			list.Items = append(list.Items, item)
			return nil
		})
		if err != nil {
			list.Gap = c.gap(s.ID, "list "+child.Label+"s", t.ChildReadPermission(child.Name), err)
		}
		a.Children[child.Name] = list
	}
	return a, nil
}

// Locks implements [change.Cloud]. A list at a resource is documented to hold the
// locks there and below it, so the resource group and the subscription are asked
// for theirs ("Management Locks - List At Resource Level", API version 2020-05-01).
func (c *Cloud) Locks(ctx context.Context, s fix.Server) ([]fix.Lock, error) {
	var locks []fix.Lock
	seen := map[string]bool{}
	subscription := "/subscriptions/" + s.SubscriptionID
	for _, scope := range []struct{ id, filter string }{
		{subscription, "&$filter=atScope()"},
		{subscription + "/resourceGroups/" + s.ResourceGroup, "&$filter=atScope()"},
		{s.ID, ""},
	} {
		address := c.client.Address(arm.EscapedPath(scope.id)+"/providers/Microsoft.Authorization/locks", locksVersion) + scope.filter
		err := c.client.List(ctx, address, func(item json.RawMessage) error {
			l, err := readLock(item)
			if err == nil && !seen[strings.ToLower(l.ID)] {
				seen[strings.ToLower(l.ID)] = true
				locks = append(locks, l)
			}
			return err
		})
		if err != nil {
			return nil, c.failed("list the management locks", "Microsoft.Authorization/locks/read", scope.id, err)
		}
	}
	return locks, nil
}

func readLock(item json.RawMessage) (fix.Lock, error) {
	var doc struct {
		ID, Name   string
		Properties struct{ Level, Notes string }
	}
	if err := json.Unmarshal(item, &doc); err != nil {
		return fix.Lock{}, fmt.Errorf("read a lock: %w", err)
	}
	if doc.ID == "" || doc.Properties.Level == "" {
		return fix.Lock{}, errors.New("read a lock: it has no id or no level")
	}
	return fix.Lock{ID: doc.ID, Name: doc.Name, Level: doc.Properties.Level, Notes: doc.Properties.Notes}, nil
}

// PutRule implements [change.Cloud].
func (c *Cloud) PutRule(ctx context.Context, s fix.Server, ruleID string, properties json.RawMessage) error {
	document, err := json.Marshal(map[string]json.RawMessage{"properties": properties})
	if err != nil {
		return fmt.Errorf("write the rule's document: %w", err)
	}
	if err := c.client.Put(ctx, c.client.Address(arm.EscapedPath(ruleID), s.APIVersion), document); err != nil {
		return c.failed("put the firewall rule", s.Type+"/firewallRules/write", ruleID, err)
	}
	return nil
}

// DeleteRule implements [change.Cloud].
func (c *Cloud) DeleteRule(ctx context.Context, s fix.Server, ruleID string) error {
	if err := c.client.Delete(ctx, c.client.Address(arm.EscapedPath(ruleID), s.APIVersion)); err != nil {
		return c.failed("delete the firewall rule", s.Type+"/firewallRules/delete", ruleID, err)
	}
	return nil
}

// failed says what could not be done, where, and which permission it takes.
func (c *Cloud) failed(what, permission, scope string, err error) error {
	err = c.client.ScrubError(err)
	if f := arm.AsFailure(err); f != nil && f.Status == http.StatusForbidden {
		return fmt.Errorf("%s at %s: %s denied: %w", what, scope, permission, err)
	}
	return fmt.Errorf("%s at %s: %w", what, scope, err)
}

func (c *Cloud) gap(scope, operation, permission string, err error) *asset.Gap {
	g := &asset.Gap{Scope: scope, Operation: operation, Permission: permission, Message: c.client.Scrub(err.Error())}
	if f := arm.AsFailure(err); f != nil {
		g.Status = f.Status
	}
	return g
}

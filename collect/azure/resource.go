package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/resourcetype"
)

var (
	errInterrupted = errors.New("the scan was interrupted before this was read")
	errChanged     = errors.New("it was listed twice with different settings: it changed while it was read; scan again")
)

// newAsset reads one item of a list. The id in it decides which address is
// asked for its children, so it must be an id of that type in that subscription.
func newAsset(s subscription, t resourcetype.Type, version string, item json.RawMessage) (*asset.Asset, error) {
	// Only the id decides anything: an odd tag must not cost the server.
	var doc struct {
		ID       string `json:"id"`
		Location any    `json:"location"`
		Tags     any    `json:"tags"`
	}
	if err := json.Unmarshal(item, &doc); err != nil {
		return nil, fmt.Errorf("read an item of the list: %w", err)
	}
	group, name, err := splitID(doc.ID, s.ID, t.Name)
	if err != nil {
		return nil, err
	}
	a := &asset.Asset{
		ID: doc.ID, Type: t.Name, Name: name,
		SubscriptionID: s.ID, SubscriptionName: s.Name, ResourceGroup: group,
		Origin: asset.Origin{Source: "arm", APIVersion: version},
		Body:   item, Children: map[string]asset.Children{},
	}
	a.Location, _ = doc.Location.(string)
	tags, _ := doc.Tags.(map[string]any)
	for key, value := range tags {
		if a.Tags == nil {
			a.Tags = make(map[string]string, len(tags))
		}
		if text, ok := value.(string); ok {
			a.Tags[key] = text
		} else {
			a.Tags[key] = fmt.Sprint(value)
		}
	}
	return a, nil
}

// splitID takes /subscriptions/S/resourceGroups/G/providers/N/T/NAME apart.
func splitID(id, subscription, typeName string) (group, name string, err error) {
	parts := strings.Split(id, "/")
	const want = 9
	if len(parts) != want || parts[0] != "" ||
		!strings.EqualFold(parts[1], "subscriptions") || !strings.EqualFold(parts[2], subscription) ||
		!strings.EqualFold(parts[3], "resourceGroups") || !strings.EqualFold(parts[5], "providers") ||
		!strings.EqualFold(parts[6]+"/"+parts[7], typeName) ||
		parts[4] == "" || parts[8] == "" || parts[8] == "." || parts[8] == ".." || parts[4] == "." || parts[4] == ".." {
		return "", "", fmt.Errorf("the id %q is not one of a %s in subscription %s", id, typeName, subscription)
	}
	return parts[4], parts[8], nil
}

// foldID is the key under which ids of any case are the same. Only ASCII letters
// have a case here: the Kelvin sign is not a k.
func foldID(id string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, id)
}

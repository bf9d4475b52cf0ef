package rule

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule/expr"
)

// The variables that a policy sees.
const (
	resourceVariable = "resource"
	exposureVariable = "exposure"
)

// resourceDocument declares what a policy knows of any resource. It comes from
// the asset; the fields below come from the resource's own document.
type resourceDocument struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	Type           string            `json:"type"`
	Location       *string           `json:"location"`
	Tags           map[string]string `json:"tags"`
	SubscriptionID *string           `json:"subscription_id"`
	ResourceGroup  *string           `json:"resource_group"`
}

var common = mustDeclare(resourceVariable, resourceDocument{})

// evidenceObject is what a policy may write out, and what it gives as evidence.
var evidenceObject = mustDeclare("Evidence", Evidence{})

// mustDeclare is for declarations that tests load.
func mustDeclare(name string, v any) *expr.Object {
	o, err := expr.Declare(name, v)
	if err != nil {
		panic(err)
	}
	return o
}

// language is what a policy for one resource type is checked against.
type language struct {
	env      *expr.Env
	resource *expr.Object
}

// languages holds what languageOf has made, by the name of the type.
var languages sync.Map

// languageOf prepares the language of a type, once as a rule: two goroutines
// that are first together prepare the same thing.
func languageOf(t resourcetype.Type) (*language, error) {
	if l, ok := languages.Load(t.Name); ok {
		return l.(*language), nil
	}
	resource, err := expr.Declare(resourceVariable, resourceDocument{}, t.Document)
	if err != nil {
		return nil, err
	}
	doors, err := expr.Declare(exposureVariable, exposure.Document{})
	if err != nil {
		return nil, err
	}
	env, err := expr.NewEnv(map[string]*expr.Object{resourceVariable: resource, exposureVariable: doors}, evidenceObject)
	if err != nil {
		return nil, err
	}
	l := &language{env: env, resource: resource}
	languages.Store(t.Name, l)
	return l, nil
}

func environment(t resourcetype.Type) (*expr.Env, error) {
	l, err := languageOf(t)
	if err != nil {
		return nil, err
	}
	return l.env, nil
}

// Schema returns the two variables that a policy for the resource type sees,
// with all their fields: `resource` and `exposure`.
func Schema(t resourcetype.Type) (resource, exposed *expr.Object, err error) {
	l, err := languageOf(t)
	if err != nil {
		return nil, nil, fmt.Errorf("describe %s: %w", t.Name, err)
	}
	exposed, err = expr.Declare(exposureVariable, exposure.Document{})
	return l.resource, exposed, err
}

func isResource(path string) bool {
	return path == resourceVariable || strings.HasPrefix(path, resourceVariable+".")
}

// isBody reports whether a path leads into the resource's own document.
func isBody(path string) bool {
	if !isResource(path) {
		return false
	}
	rest, below := strings.CutPrefix(path, resourceVariable+".")
	field, _, _ := strings.Cut(rest, ".")
	_, ours := common.Field(field)
	return !below || !ours
}

// documents are what policies see of one resource, built when first needed and
// then shared.
type documents struct {
	asset  *asset.Asset
	doors  map[string]any
	unread []expr.Unread

	light, full         sync.Once
	lightVars, fullVars *expr.Vars
}

func newDocuments(a *asset.Asset, e exposure.Exposure) *documents {
	doors, unread := e.Document()
	d := &documents{asset: a, doors: doors}
	for _, u := range unread {
		d.unread = append(d.unread, expr.Unread(u))
	}
	return d
}

// vars returns the variables, with the resource's own document or without.
func (d *documents) vars(withBody bool) *expr.Vars {
	if !withBody {
		d.light.Do(func() { d.lightVars = d.bind(d.commonFields(), nil) })
		return d.lightVars
	}
	d.full.Do(func() { d.fullVars = d.bind(d.body()) })
	return d.fullVars
}

func (d *documents) bind(resource map[string]any, unread []expr.Unread) *expr.Vars {
	return expr.NewVars(
		map[string]any{exposureVariable: d.doors, resourceVariable: resource},
		slices.Concat(d.unread, unread),
	)
}

// commonFields are what the asset itself says. What it does not say is left
// out, except that no tags are no tags.
func (d *documents) commonFields() map[string]any {
	a := d.asset
	fields := map[string]any{"tags": a.Tags}
	for name, value := range map[string]string{
		"id": a.ID, "name": a.Name, "type": a.Type, "location": a.Location,
		"subscription_id": a.SubscriptionID, "resource_group": a.ResourceGroup,
	} {
		if value != "" {
			fields[name] = value
		}
	}
	return fields
}

// body is the resource's own document, with what the asset says of it on top.
// A document that cannot be read leaves all its fields unread.
func (d *documents) body() (map[string]any, []expr.Unread) {
	fields := d.commonFields()
	t, _ := resourcetype.Lookup(d.asset.Type)
	l, err := languageOf(t)
	if err != nil {
		return fields, []expr.Unread{{Path: []string{resourceVariable}, Reason: err.Error()}}
	}
	read, unread, err := l.resource.Read(d.asset.Body, resourceVariable)
	if err != nil {
		for _, name := range l.resource.Fields() {
			unread = append(unread, expr.Unread{
				Path: []string{resourceVariable, name}, Reason: fmt.Sprintf("%s: %v", d.asset.ID, err),
			})
		}
	}
	unread = slices.DeleteFunc(unread, func(u expr.Unread) bool {
		_, ours := common.Field(u.Path[1])
		return ours
	})
	for name, value := range read {
		if _, ours := common.Field(name); !ours {
			fields[name] = value
		}
	}
	return fields, unread
}

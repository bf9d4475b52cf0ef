// Package rules holds the pages that come with Postern, one folder each, built
// into the program. A page's folder also holds its fixtures: small assets and
// the verdict each must get.
//
// To add a rule, add a folder with a rule.md and fixtures; the tests here find
// it and hold it to them.
package rules

import (
	"embed"
	"sync"

	"github.com/posternhq/postern/rule"
)

//go:embed */*/rule.md
var pages embed.FS

// Catalogue returns the pages that come with Postern. They are read once.
var Catalogue = sync.OnceValues(func() (*rule.Catalogue, error) { return rule.Load(pages) })

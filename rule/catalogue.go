package rule

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"sync"
)

// MaxPage is the largest page that is read, in bytes.
const MaxPage = 256 << 10

// PageName is the name of the file that makes a folder a rule.
const PageName = "rule.md"

// Catalogue is a set of pages with distinct names. It is safe for concurrent use.
type Catalogue struct {
	pages  []*Page
	byName map[string]*Page
}

// Load reads every rule.md below the root of a file system. When any page has a
// fault, or two share a name, there is no catalogue and the error is [Problems],
// which lists them all.
func Load(fsys fs.FS) (*Catalogue, error) {
	var files []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == PageName {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for pages: %w", err)
	}
	pages, err := loadAll(fsys, files)
	if err != nil {
		return nil, err
	}
	return newCatalogue(pages)
}

// loadAll reads the pages side by side: checking policies is most of the work.
func loadAll(fsys fs.FS, files []string) ([]*Page, error) {
	pages, errs := make([]*Page, len(files)), make([]error, len(files))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for i := range next {
				pages[i], errs[i] = loadPage(fsys, files[i])
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wg.Wait()

	var problems Problems
	for _, err := range errs {
		var found Problems
		switch {
		case errors.As(err, &found):
			problems = append(problems, found...)
		case err != nil:
			return nil, err
		}
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return pages, nil
}

func loadPage(fsys fs.FS, name string) (*Page, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the page: %w", err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, MaxPage+1))
	if err != nil {
		return nil, fmt.Errorf("read the page %s: %w", name, err)
	}
	return Parse(name, source)
}

func newCatalogue(pages []*Page) (*Catalogue, error) {
	c := &Catalogue{pages: pages, byName: map[string]*Page{}}
	slices.SortFunc(c.pages, func(a, b *Page) int {
		return cmp.Or(cmp.Compare(path.Dir(path.Dir(a.File)), path.Dir(path.Dir(b.File))), cmp.Compare(a.ID, b.ID))
	})
	var problems Problems
	for _, p := range c.pages {
		for _, name := range p.names() {
			if other, taken := c.byName[name]; taken {
				problems = append(problems, Problem{File: p.File, Message: fmt.Sprintf("the name %q is taken by %s", name, other.File)})
				continue
			}
			c.byName[name] = p
		}
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return c, nil
}

// All returns the pages by folder and then by id.
func (c *Catalogue) All() []*Page { return slices.Clone(c.pages) }

// Find returns the page with that id or alias, without regard to case. An alias
// that is a path is found as a whole and by its last element.
func (c *Catalogue) Find(name string) (*Page, bool) {
	p, ok := c.byName[foldName(name)]
	return p, ok
}

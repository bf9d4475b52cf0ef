package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// element is a piece of a page.
type element struct {
	name     string
	attrs    map[string]string
	text     string // its own, without that of its children
	children []*element
	// parts are text and children in order.
	parts []any
}

func parse(t testing.TB, page []byte) *element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	root := &element{}
	open := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at := int(d.InputOffset())
			t.Fatalf("the page is not well formed at %q: %v", page[max(0, at-60):min(len(page), at+20)], err)
		}
		at := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attrs[a.Name.Local]; twice {
					t.Errorf("<%s> has %s twice", e.name, a.Name.Local)
				}
				e.attrs[a.Name.Local] = a.Value
			}
			at.children, at.parts = append(at.children, e), append(at.parts, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.text += string(token)
			at.parts = append(at.parts, string(token))
		case xml.Comment, xml.ProcInst:
			t.Errorf("the page holds %T", token)
		}
	}
	if len(root.children) != 1 || root.children[0].name != "html" {
		t.Fatal("the page is not one html element")
	}
	return root.children[0]
}

func (e *element) walk(visit func(*element)) {
	visit(e)
	for _, c := range e.children {
		c.walk(visit)
	}
}

func (e *element) attr(name string) string { return e.attrs[name] }

func (e *element) all(name string) (out []*element) {
	e.walk(func(at *element) {
		if at.name == name {
			out = append(out, at)
		}
	})
	return out
}

// one is the first of a name, or an empty element.
func (e *element) one(name string) *element {
	if all := e.all(name); len(all) > 0 {
		return all[0]
	}
	return &element{}
}

func (e *element) class(name string) (out []*element) {
	e.walk(func(at *element) {
		if slices.Contains(strings.Fields(at.attr("class")), name) {
			out = append(out, at)
		}
	})
	return out
}

// words is the text of an element with that of its children, without the style
// sheet, and with single spaces.
func (e *element) words() string {
	var b strings.Builder
	var add func(*element)
	add = func(at *element) {
		for _, p := range at.parts {
			switch p := p.(type) {
			case string:
				b.WriteString(p)
			case *element:
				if p.name != "style" {
					add(p)
				}
			}
		}
	}
	add(e)
	return strings.Join(strings.Fields(b.String()), " ")
}

// inert are the elements that a page may be made of: none loads, runs or sends.
var inert = strings.Fields(`html head meta title style body header nav main section footer div span p h1 h2 h3 b a bdi time ul li
	dl dt dd table caption thead tbody tr th td details summary svg symbol use path rect`)

// sound checks what holds of every page, whatever it tells.
func sound(t testing.TB, root *element) {
	t.Helper()
	if root.attr("lang") != "en" || len(root.all("h1")) != 1 || len(root.all("main")) != 1 || root.one("title").words() == "" {
		t.Error("the page lacks a language, a title, or one heading and main part")
	}
	ids := map[string]bool{}
	root.walk(func(e *element) {
		if id, ok := e.attrs["id"]; ok {
			if ids[id] || strings.ContainsAny(id, " ") {
				t.Errorf("the id %q is there twice, or none", id)
			}
			ids[id] = true
		}
	})
	root.walk(func(e *element) {
		if !slices.Contains(inert, e.name) {
			t.Errorf("the page holds <%s>", e.name)
		}
		for name, value := range e.attrs {
			switch {
			case strings.HasPrefix(name, "on"), name == "style", name == "src", name == "srcset", name == "action":
				t.Errorf("<%s> has %s=%q", e.name, name, value)
			case name == "href" && (!strings.HasPrefix(value, "#") || !ids[value[1:]]):
				t.Errorf("<%s> leads to %q, which is not on the page", e.name, value)
			case strings.Contains(value, "ZgotmplZ"):
				t.Errorf("<%s> has an unsafe %s", e.name, name)
			}
		}
		switch e.name {
		case "table":
			if e.one("caption").words() == "" || len(e.all("thead")) != 1 {
				t.Error("a table has no caption or no head")
			}
		case "th":
			if s := e.attr("scope"); s != "col" && s != "row" {
				t.Errorf("a table's head has the scope %q", s)
			}
		case "svg":
			if e.attr("aria-hidden") != "true" && (e.attr("role") != "img" || e.attr("aria-label") == "") {
				t.Error("a drawing has neither a description nor is hidden from those who cannot see it")
			}
		}
	})
	for _, table := range root.all("table") {
		width := len(table.one("thead").all("th"))
		for _, row := range table.one("tbody").all("tr") {
			if len(row.children) != width {
				t.Fatalf("a row of %q has %d cells of %d", table.one("caption").words(), len(row.children), width)
			}
		}
	}
	if style := root.one("style").text; regexp.MustCompile(`url\(|@import|https?:`).MatchString(style) {
		t.Error("the style sheet loads something")
	}
}

// Text has a contrast of at least 4.5 to 1 with what it stands on (WCAG 2.2,
// criterion 1.4.3), in light and in dark.
func TestTextCanBeRead(t *testing.T) {
	css, err := os.ReadFile("usage.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllSubmatch(css, -1)
	if len(schemes) != 2 {
		t.Fatalf("there are %d colour schemes", len(schemes))
	}
	for i, scheme := range schemes {
		colour := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):#([0-9a-f]{3,6})`).FindAllSubmatch(scheme[1], -1) {
			colour[string(m[1])] = luminance(string(m[2]))
		}
		for text, grounds := range map[string]string{
			"ink":   "paper card soft open-soft unknown-soft",
			"quiet": "paper card soft",
			"open":  "card paper open-soft", "latent": "card paper latent-soft",
			"pass": "card paper pass-soft", "unknown": "card paper unknown-soft",
		} {
			for _, ground := range strings.Fields(grounds) {
				a, okA := colour[text]
				b, okB := colour[ground]
				if c := (max(a, b) + 0.05) / (min(a, b) + 0.05); !okA || !okB || c < 4.5 {
					t.Errorf("scheme %d: %s on %s has a contrast of %.2f", i, text, ground, c)
				}
			}
		}
	}
}

// luminance is the relative luminance of a colour as WCAG defines it.
func luminance(hex string) float64 {
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, share := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += share * c
	}
	return sum
}

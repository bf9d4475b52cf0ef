package suggest

import (
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	doors := []string{"open", "latent", "addresses"}
	for _, tc := range []struct{ name, word, want string }{
		{"swapped letters", "opne", `; did you mean "open"? allowed: addresses, latent, open`},
		{"another case", "OPEN", `; did you mean "open"? allowed: addresses, latent, open`},
		{"a letter short", "addreses", `; did you mean "addresses"? allowed: addresses, latent, open`},
		{"nothing like it", "banana", `; allowed: addresses, latent, open`},
		{"empty", "", `; allowed: addresses, latent, open`},
		{"longer than any name", strings.Repeat("open", 100), `; allowed: addresses, latent, open`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Allowed(tc.word, doors); got != tc.want {
				t.Errorf("Allowed(%q) = %q, want %q", tc.word, got, tc.want)
			}
		})
	}
	if got := Allowed("x", nil); got != "" {
		t.Errorf("nothing allowed gives %q, want nothing", got)
	}
}

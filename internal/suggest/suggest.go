// Package suggest words what a person may have meant, and what is allowed,
// where a page names something that does not exist.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// Allowed is the tail of an error about a word that is none of the allowed
// ones: `; did you mean "open"? allowed: addresses, latent, open`. The allowed
// words are shown sorted. It is empty when nothing is allowed.
func Allowed(word string, allowed []string) string {
	if len(allowed) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(allowed))
	list := "allowed: " + strings.Join(sorted, ", ")
	if near, ok := Nearest(word, sorted); ok {
		return fmt.Sprintf("; did you mean %q? %s", near, list)
	}
	return "; " + list
}

// Nearest finds the allowed word that is so close to the given one that a slip
// of the fingers explains the difference: a third of its letters, and at least
// one letter kept. Of several it takes the closest, then the first.
func Nearest(word string, allowed []string) (string, bool) {
	best, distance := "", len(word)
	for _, a := range allowed {
		if strings.EqualFold(a, word) {
			return a, true
		}
		if d := edits(strings.ToLower(word), strings.ToLower(a)); d < distance && d <= (len(a)+2)/3 {
			best, distance = a, d
		}
	}
	return best, best != ""
}

// maxWord bounds the words that are compared: the comparison is quadratic, and
// words come from pages that nobody has vetted.
const maxWord = 64

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b (the restricted Damerau–Levenshtein distance, over bytes).
func edits(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return max(len(a), len(b))
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

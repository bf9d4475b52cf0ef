package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong with a page, and where.
type Problem struct {
	// File is the page's path in the tree it was loaded from.
	File string
	// Line and Column count from 1, columns in characters. A Line of 0 means
	// the whole file.
	Line, Column int
	// Message says what was found and what is allowed there.
	Message string
}

// String is the problem as compilers write theirs: file:line:column: message.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all that is wrong with one page or several, in the order of
// files, lines and columns. It is the error of [Load] and [Parse].
type Problems []Problem

// Error shows one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps))
	for _, p := range ps {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems in order, each one once.
func (ps Problems) sorted() Problems {
	out := slices.Clone(ps)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(out)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/ownership"
)

// readBook reads the files that addresses are looked up in.
func (e *evidence) readBook() error {
	read := func(path string, into func(io.Reader) error) error {
		if path == "" || path == tagsFromAPI {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open the list of addresses: %w", err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		if err := into(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	return errors.Join(
		read(e.tags, func(in io.Reader) (err error) { e.book.Tags, err = usage.ReadTags(in); return err }),
		read(e.own, func(in io.Reader) (err error) { e.book.Own, err = usage.ReadOwn(in); return err }),
	)
}

// attributed completes the book with what Azure knows of addresses: those of your
// own resources and, where no file was given, the service tags. What may not be
// read is noted in the book, for it decides nothing about who is cut off.
func (e *evidence) attributed(ctx context.Context, l *live, server *asset.Asset) (usage.Book, error) {
	book := e.book
	if l == nil {
		return book, nil
	}
	client := l.client()
	if !e.noAttribute {
		if e.found == nil {
			found, err := ownership.Resources(ctx, client)
			if err != nil {
				return usage.Book{}, err
			}
			e.found = &found
		}
		book.ResourceGaps = e.found.Gaps
		if len(e.found.Holdings) > 0 || len(e.found.Gaps) == 0 {
			book.Resources = usage.NewOwn(e.found.Holdings)
		}
	}
	if e.tags == tagsFromAPI || e.tags == "" && !e.noAttribute {
		if e.foundTags == nil {
			var err error
			if e.foundTags, err = ownership.ServiceTags(ctx, client, subscriptionIn(server.ID), server.Location); err != nil {
				if arm.Interrupted(ctx, err) {
					return usage.Book{}, err
				}
				book.TagsGap = report.Plain(err.Error())
			}
		}
		book.Tags = e.foundTags
	}
	return book, nil
}

func subscriptionIn(id string) string {
	subscription, _ := subscriptionOf(id)
	return subscription
}

// ownedSpans are the ranges of a book that nobody else can have.
func ownedSpans(b usage.Book) []fix.Span {
	var out []fix.Span
	for _, h := range slices.Concat(b.Own.Holdings(), b.Resources.Holdings()) {
		if h.Certainty == usage.Owned {
			out = append(out, fix.Span{Range: h.Range, Name: h.Name})
		}
	}
	return out
}

// outlets are the addresses that the resources which were read come from.
func (e *evidence) outlets() []fix.Outlet {
	if e.found == nil {
		return nil
	}
	out := make([]fix.Outlet, 0, len(e.found.Outlets))
	for _, o := range e.found.Outlets {
		out = append(out, fix.Outlet(o))
	}
	return out
}

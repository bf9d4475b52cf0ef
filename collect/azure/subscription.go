package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/posternhq/postern/arm"
)

// subscriptionsVersion is the API version of the subscription list.
const subscriptionsVersion = "2022-12-01"

type subscription struct {
	ID   string `json:"subscriptionId"`
	Name string `json:"displayName"`
}

// ErrNoSubscriptions says that the credential is good but sees nothing. It is
// an error because an empty report would read as a clean one.
var ErrNoSubscriptions = errors.New("the credential sees no subscription; " +
	"grant it Reader (or the permissions in the README) on the subscriptions or their management group")

// UnknownSubscriptionError says that chosen subscriptions are not among those
// the caller sees, or not uniquely.
type UnknownSubscriptionError struct {
	Wanted  string
	Matches []string
	Visible []string
}

// Error names what was asked for and what there is.
func (e *UnknownSubscriptionError) Error() string {
	if len(e.Matches) > 1 {
		return fmt.Sprintf("subscription name %q fits %d subscriptions: %s; give the id", e.Wanted, len(e.Matches), strings.Join(e.Matches, ", "))
	}
	const few = 10
	visible := e.Visible
	more := ""
	if len(visible) > few {
		more = fmt.Sprintf(" and %d more", len(visible)-few)
		visible = visible[:few]
	}
	return fmt.Sprintf("subscription %q is not among those this credential sees: %s%s", e.Wanted, strings.Join(visible, ", "), more)
}

// chosenSubscriptions lists what the caller sees and picks what was asked for.
// A list that breaks off is a gap: the subscriptions that were read are scanned.
func (c *Collector) chosenSubscriptions(ctx context.Context, out *serialSink) ([]subscription, error) {
	gap := func(err error) {
		out.gap(c.gap(ctx, "/subscriptions", "list the subscriptions", "Microsoft.Resources/subscriptions/read", err))
	}
	var all []subscription
	var odd error
	err := c.client.List(ctx, c.client.Address("/subscriptions", subscriptionsVersion), func(item json.RawMessage) error {
		s, err := newSubscription(item)
		if err != nil {
			odd = err
			gap(err)
			return nil
		}
		if !slices.ContainsFunc(all, func(other subscription) bool { return foldID(other.ID) == foldID(s.ID) }) {
			all = append(all, s)
		}
		return nil
	})
	switch {
	case arm.Interrupted(ctx, err):
		gap(err)
		return nil, nil // nothing more is read, and those read may not be those asked for
	case err != nil && len(all) == 0:
		return nil, subscriptionsError(err)
	case err != nil:
		gap(err)
	case odd != nil && len(all) == 0:
		return nil, subscriptionsError(odd)
	case len(all) == 0:
		return nil, ErrNoSubscriptions
	}
	chosen, chooseErr := choose(all, c.options.Subscriptions)
	if chooseErr != nil && err != nil {
		return nil, fmt.Errorf("%w; the list of subscriptions broke off: %w", chooseErr, err)
	}
	return chosen, chooseErr
}

func newSubscription(item json.RawMessage) (subscription, error) {
	var s subscription
	if err := json.Unmarshal(item, &s); err != nil {
		return s, fmt.Errorf("read an item of the list: %w", err)
	}
	if s.ID == "" || strings.ContainsAny(s.ID, "/?#%.") {
		return s, fmt.Errorf("the list has a subscription with the id %q", s.ID)
	}
	return s, nil
}

func subscriptionsError(err error) error {
	err = fmt.Errorf("list the subscriptions: %w", err)
	switch f := arm.AsFailure(err); {
	case f == nil:
		return err
	case f.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w\nhint: the token is expired, for another tenant, or for another audience; get a fresh one with `az login` or `az account get-access-token`", err)
	case f.Status == http.StatusForbidden:
		return fmt.Errorf("%w\nhint: the credential needs Microsoft.Resources/subscriptions/read", err)
	default:
		return err
	}
}

func choose(all []subscription, wanted []string) ([]subscription, error) {
	if len(wanted) == 0 {
		return all, nil
	}
	var chosen []subscription
	for _, w := range wanted {
		var matches []subscription
		for _, s := range all {
			if strings.EqualFold(s.ID, w) {
				matches = []subscription{s}
				break
			}
			if strings.EqualFold(s.Name, w) {
				matches = append(matches, s)
			}
		}
		if len(matches) != 1 {
			return nil, &UnknownSubscriptionError{Wanted: w, Matches: describe(matches), Visible: describe(all)}
		}
		if !slices.Contains(chosen, matches[0]) {
			chosen = append(chosen, matches[0])
		}
	}
	return chosen, nil
}

func describe(subscriptions []subscription) []string {
	var out []string
	for _, s := range subscriptions {
		out = append(out, fmt.Sprintf("%s (%s)", s.Name, s.ID))
	}
	return out
}

package guard

import (
	"fmt"
	"math/bits"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/posternhq/postern/exposure"
)

// Effect is what Azure does about a firewall rule that it should not have.
type Effect string

// The effects that a definition can be assigned with.
const (
	Audit Effect = "audit"
	Deny  Effect = "deny"
)

// DefaultPrefix is the widest range that one rule may admit, as a prefix length:
// the /8 that exposure.InternetSlack is measured by. It is also the widest that
// can be asked for: rules wider than that add up to the internet too fast.
var DefaultPrefix = 32 - (bits.Len(exposure.InternetSlack) - 1)

// Request says what to guard and how.
type Request struct {
	Services []Service
	Effect   Effect
	// Prefix is the widest range that one rule may admit: 8 to 32.
	Prefix int
	// Scope is where it goes; the zero Scope leaves that to whoever runs the commands.
	Scope Scope
	// Webhook is where events go, as ParseWebhook checked it, or empty.
	Webhook string
}

// addresses is how many addresses one rule may admit.
func (r Request) addresses() int { return 1 << (32 - r.Prefix) }

// effect in the spelling of Azure Policy.
func (r Request) effect() string {
	if r.Effect == Deny {
		return "Deny"
	}
	return "Audit"
}

// ParseEffect reads an effect.
func ParseEffect(word string) (Effect, error) {
	switch e := Effect(strings.ToLower(word)); e {
	case Audit, Deny:
		return e, nil
	default:
		return "", fmt.Errorf("%q is not one of %s", word, oneOf(strings.ToLower(word), []string{string(Audit), string(Deny)}))
	}
}

// ParsePrefix reads the widest range allowed, such as /8 or 24.
func ParsePrefix(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "/"))
	if err != nil || n < DefaultPrefix || n > 32 {
		return 0, fmt.Errorf("%q is no prefix length from /%d (the widest) to /32 (one address)", s, DefaultPrefix)
	}
	return n, nil
}

// Scope is a subscription or a management group, by its ARM id.
type Scope struct {
	// ID is empty when no scope was named.
	ID string
	// Group is the name of the management group, empty for a subscription.
	Group string
}

const (
	subscriptions = "/subscriptions/"
	groups        = "/providers/Microsoft.Management/managementGroups/"
)

var (
	guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	// groupName is what Azure takes for a management group, which leaves nothing
	// that a shell or a template could take for more than a name.
	groupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.()-]{0,89}$`)
)

// ParseScope reads a subscription's id, or the ARM id of a subscription or of a
// management group. The empty text is the zero Scope.
func ParseScope(s string) (Scope, error) {
	s = strings.TrimSuffix(s, "/")
	if s == "" {
		return Scope{}, nil
	}
	if guid.MatchString(s) {
		return Scope{ID: subscriptions + strings.ToLower(s)}, nil
	}
	if id, ok := cutFold(s, subscriptions); ok {
		if guid.MatchString(id) {
			return Scope{ID: subscriptions + strings.ToLower(id)}, nil
		}
		if first, _, below := strings.Cut(id, "/"); below && guid.MatchString(first) {
			return Scope{}, fmt.Errorf("%q lies below a subscription, where no policy definition can live; give %s%s", s, subscriptions, first)
		}
	}
	if name, ok := cutFold(s, groups); ok && groupName.MatchString(name) {
		return Scope{ID: groups + name, Group: name}, nil
	}
	return Scope{}, fmt.Errorf("%q is neither a subscription id (a GUID or %sGUID) nor a management group's (%sNAME)", s, subscriptions, groups)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// ParseWebhook checks the address that events go to. It must be https, as Event
// Grid demands, and may hold no secret, because it is printed.
func ParseWebhook(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "", fmt.Errorf("the webhook is no address such as https://postern.example.com/events")
	case u.Scheme != "https":
		return "", fmt.Errorf("the webhook's address begins with %q; Event Grid delivers to https only", u.Scheme+"://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("the webhook's address holds more than a host and a path, perhaps a secret, and would be printed; leave it out here and set WEBHOOK_URL where the commands run")
	}
	return u.String(), nil
}

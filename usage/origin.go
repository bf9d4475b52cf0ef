package usage

import (
	"cmp"
	"net/netip"
	"strings"
)

// Owner says whose an address is.
type Owner string

// The owners.
const (
	// Yours: the list of own addresses or one of your resources has it. How sure
	// that is, [Certainty] says.
	Yours Owner = "yours"
	// InAzure: it is inside Azure and nobody has claimed it.
	InAzure Owner = "azure"
	// Outside: it is public, and in no range of the service tags.
	Outside Owner = "outside azure"
	// NotKnown: it is no public address, nothing to look it up in was given, or
	// that was not read in full.
	NotKnown Owner = "not known"
)

// Certainty is how sure an owner is; it is empty where nothing was asked that
// could have told.
type Certainty string

// The certainties.
const (
	// Owned: the address is yours and nobody else's.
	Owned Certainty = "owned"
	// Candidate: a resource of yours has it, and others may have it too, or had it
	// before.
	Candidate Certainty = "candidate"
	// UnknownTenant: it is inside Azure, your resources were read in full, and
	// none has it.
	UnknownTenant Certainty = "unknown tenant"
)

// Origin says whose an address is.
type Origin struct {
	Owner Owner `json:"owner"`
	// Certainty is how sure that is.
	Certainty Certainty `json:"certainty,omitempty"`
	// Name is what the list of own addresses calls it, or the resource that has it.
	Name string `json:"name,omitempty"`
	// Resource is the ARM id of that resource and Kind says what it is.
	Resource string `json:"resource,omitempty"`
	Kind     string `json:"kind,omitempty"`
	// Tag is the most specific service tag that holds the address, with its
	// region and the service it belongs to.
	Tag     string `json:"tag,omitempty"`
	Region  string `json:"region,omitempty"`
	Service string `json:"service,omitempty"`
	// Note is what follows from it, in words.
	Note string `json:"note,omitempty"`
}

// Book holds what addresses are looked up in. Any part may be nil.
type Book struct {
	// Own are the addresses that somebody listed, Resources those of resources.
	Own, Resources *Own
	Tags           *Tags
	// ResourceGaps says what of the resources was not read, TagsGap why there are
	// no tags where they were asked for.
	ResourceGaps []string
	TagsGap      string
}

// Origin says whose an address is.
func (b Book) Origin(address string) Origin {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return Origin{Owner: NotKnown}
	}
	out := Origin{Owner: NotKnown}
	if b.Tags != nil && !isPrivate(ip) && !ip.IsLoopback() {
		out = b.tagged(ip)
	}
	listed, isListed := b.Own.find(ip)
	held, isHeld := b.Resources.find(ip)
	if !isListed && !isHeld {
		return out
	}
	out.Owner, out.Resource, out.Kind = Yours, held.Resource, held.Kind
	out.Certainty, out.Name, out.Note = held.Certainty, held.Name, held.Note
	if isListed {
		out.Certainty, out.Name, out.Note = listed.Certainty, listed.Name, ""
	}
	return out
}

// tagged is what the service tags say of a public address, and what follows from
// that where it is nobody's of yours.
func (b Book) tagged(ip netip.Addr) Origin {
	tag, ok := b.Tags.find(ip)
	if !ok {
		return Origin{Owner: Outside, Note: "in no Azure range of these service tags: not inside Azure, or the tags are of another date"}
	}
	out := Origin{
		Owner: InAzure, Tag: tag.Name, Region: tag.Region, Service: tag.Service,
		Note: "inside Azure, and nobody has claimed it: it may be another customer's",
	}
	switch {
	case len(b.ResourceGaps) > 0:
		out.Owner, out.Note = NotKnown, "inside Azure, and whose it is is not known: your own resources were not all read"
	case b.Resources != nil:
		out.Certainty = UnknownTenant
		out.Note = "inside Azure, and no resource that you can see has it: it may be another customer's"
	}
	return out
}

// blind says what could not be looked up, one sentence each.
func (b Book) blind() []string {
	var out []string
	if b.Tags == nil {
		out = append(out, "Which addresses are inside Azure: "+strings.TrimRight(cmp.Or(b.TagsGap, "no service tags were given"), ".")+".")
	}
	for _, gap := range b.ResourceGaps {
		out = append(out, "Which addresses are yours: "+strings.TrimRight(gap, ".")+".")
	}
	return out
}

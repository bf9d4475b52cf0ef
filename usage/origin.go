package usage

import "net/netip"

// Owner says whose an address is, with how sure that is.
type Owner string

// The owners.
const (
	// Yours: the list of own addresses names it.
	Yours Owner = "yours"
	// InAzure: it is inside Azure and nobody has claimed it.
	InAzure Owner = "azure"
	// Outside: it is public, and in no range of the service tags.
	Outside Owner = "outside azure"
	// NotKnown: it is no public address, or nothing to look it up in was given.
	NotKnown Owner = "not known"
)

// Origin says whose an address is.
type Origin struct {
	Owner Owner `json:"owner"`
	// Name is what the list of own addresses calls it.
	Name string `json:"name,omitempty"`
	// Tag is the most specific service tag that holds the address, with its
	// region and the service it belongs to.
	Tag     string `json:"tag,omitempty"`
	Region  string `json:"region,omitempty"`
	Service string `json:"service,omitempty"`
	// Note is what follows from it, in words.
	Note string `json:"note,omitempty"`
}

// Book holds what addresses are looked up in. Either part may be nil.
type Book struct {
	Own  *Own
	Tags *Tags
}

// Origin says whose an address is.
func (b Book) Origin(address string) Origin {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return Origin{Owner: NotKnown}
	}
	out := Origin{Owner: NotKnown}
	public := !isPrivate(ip) && !ip.IsLoopback()
	if b.Tags != nil && public {
		if tag, ok := b.Tags.find(ip); ok {
			out = Origin{
				Owner: InAzure, Tag: tag.Name, Region: tag.Region, Service: tag.Service,
				Note: "inside Azure, and nobody has claimed it: it may be another customer's",
			}
		} else {
			out = Origin{Owner: Outside, Note: "in no Azure range of these service tags: not inside Azure, or the file is of another date"}
		}
	}
	if b.Own != nil {
		if name, ok := b.Own.find(ip); ok {
			out.Owner, out.Name, out.Note = Yours, name, ""
		}
	}
	return out
}

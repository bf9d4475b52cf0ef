package azuresim

import "fmt"

// Shape says what a generated estate looks like. The zero value is one
// subscription of flexible servers with one rule each.
type Shape struct {
	// Kind is the generation of every server. Empty means flexible.
	Kind Kind
	// Subscriptions is how many the servers are dealt out to, in turn. Zero
	// means one.
	Subscriptions int
	// Rules is how many firewall rules each server has. Zero means one,
	// negative none.
	Rules int
}

// Generate makes an estate of n servers for measurements, the same for the same
// arguments. The first rule of every tenth server is the door for all of Azure,
// every other rule a narrow range.
func Generate(n int, shape Shape) Estate {
	kind := Kind(withDefault(string(shape.Kind), string(Flexible)))
	subs := max(shape.Subscriptions, 1)
	rules := shape.Rules
	if rules == 0 {
		rules = 1
	}
	e := Estate{Subscriptions: make([]Subscription, subs)}
	for i := range e.Subscriptions {
		e.Subscriptions[i] = Subscription{
			ID:   fmt.Sprintf("5b%06x-0000-4000-8000-%012x", i&0xffffff, i),
			Name: fmt.Sprintf("generated-%03d", i),
		}
	}
	for i := range n {
		srv := DBServer{Kind: kind, Name: fmt.Sprintf("db-%06d", i), ResourceGroup: fmt.Sprintf("group-%03d", i/100)}
		for r := range max(rules, 0) {
			srv.FirewallRules = append(srv.FirewallRules, generatedRule(i, r))
		}
		sub := &e.Subscriptions[i%subs]
		sub.Servers = append(sub.Servers, srv)
	}
	return e
}

func generatedRule(srv, rule int) Rule {
	if rule == 0 && srv%10 == 0 {
		return Rule{Name: "AllowAllAzureIps", Start: "0.0.0.0", End: "0.0.0.0"}
	}
	at := fmt.Sprintf("203.0.%d.", (srv+rule)%256)
	first := (rule * 8) % 248
	return Rule{
		Name:  fmt.Sprintf("range-%03d", rule),
		Start: fmt.Sprintf("%s%d", at, first), End: fmt.Sprintf("%s%d", at, first+7),
	}
}

// Package azuresim is a local Azure: an [http.Handler] that speaks the part of
// Azure Resource Manager which a reader or changer of managed PostgreSQL
// firewalls needs, so that Postern, the az command line and Microsoft's SDKs
// can be run and tested with no Azure account.
//
// It knows subscriptions, the three generations of managed PostgreSQL (single
// servers, flexible servers, Citus clusters), their firewall rules, virtual
// network rules, parameters and private endpoints, and the manners of ARM:
// paging, long-running operations, token buckets, error bodies, ids that
// compare without case. Around them it has what tells who uses a server and what
// stands in the way of changing it: management locks, Resource Graph, service
// tags, and the logs of Log Analytics. What it cannot do truthfully it does not
// do: there is no server creation, no api-version of a server beyond those it can
// be held to, and no query beyond a small part of KQL.
//
// The truth comes from Microsoft's Swagger documents, Microsoft's examples and
// recordings of live Azure, which the package's tests compare every answer
// with. Where those are silent the comment at the place says so.
//
// An [Estate] says what exists, [Options] say how the service behaves (how
// fast, how generous, which token), and a [Fault] makes it misbehave on demand:
//
//	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{})
//	http.ListenAndServe("127.0.0.1:8080", sim)
//
// The package knows nothing of Postern: not its collector, not its assets, not
// its rules. A simulator that shared code with the reader it tests would agree
// with the reader's mistakes.
package azuresim

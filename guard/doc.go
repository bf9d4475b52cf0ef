// Package guard writes what keeps the doors closed after they were closed: the
// Azure Policy that denies or audits the firewall rules behind the azure door
// and the internet door, and the Event Grid subscription that tells of every
// change of a firewall rule.
//
// It generates documents and commands and asks Azure nothing. What a definition
// may name was looked up in Microsoft's own list of policy aliases (the folder
// ResourceTypesAndAliases of the repository Azure/azure-policy-linter, a dump of
// the public cloud, 2026): a definition with an alias that Azure does not know is
// refused as a whole. What the list does not have is kept out of the initiative.
package guard

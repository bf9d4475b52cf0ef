// Package rule reads pages and judges resources by them.
//
// A page is one rule: front matter with its names, its severity and the policy
// that decides, then Markdown for people. What people read and what the machine
// runs stand together, and both are checked when the page is loaded: an unknown
// key, a missing section, a policy that names a field that does not exist are
// errors with file, line and column. [Load] reads a tree of pages, and
// [Page.Evaluate] judges one resource.
//
// A verdict is pass only when everything the policy depends on was read. Pages
// may come from strangers: a policy reads nothing but the documents it is given,
// and what it may spend is bounded.
//
// The package knows assets and their exposure, and not where they come from.
//
// # The policy of a page
//
// The policy is a list of cases, each for some resource types:
//
//	policy:
//	  - for: [Microsoft.DBforPostgreSQL/flexibleServers]
//	    skip:
//	      - when: resource.properties.state == "Dropping"
//	        say: the server is being deleted
//	    pass: |
//	      !exposure.azure.open
//	    evidence: exposure.azure.rules
//	    reasons:
//	      fail:
//	        - say: >-
//	            all of Azure is let in by
//	            {{ names("firewall rule", exposure.azure.rules) }}
//	      pass:
//	        - when: exposure.azure.latent
//	          say: all of Azure is let in the day firewall rules come into force
//	        - say: no firewall rule lets in all of Azure
//
// `pass` is a CEL expression that is true or false. `skip` may come before it:
// the first condition that holds takes the resource out. `reasons` are tried in
// order, and the last of each list has no condition, so that every verdict has a
// reason; between {{ and }} stands an expression whose value is shown. `evidence`
// names what makes a failure: a list of objects with kind, id, name and value,
// such as the rules of a door, or written out as `Evidence{kind: "setting",
// name: "…", value: "…"}`.
//
// Expressions see `exposure` (declared by [exposure.Document]) and `resource`:
// id, name, type, location, tags, subscription_id and resource_group of the
// asset, and the fields that the resource type declares. [Schema] lists them. A
// field that is absent, or of another type than declared, or that could not be
// read, has no value: if the verdict depends on it, the verdict is unknown and
// says so. Only has() asks whether a field is there. The functions are those of
// [expr.Functions].
//
// An expression that starts with ! must be in quotes or on the line after a |,
// because YAML has a use of its own for the sign.
//
// # Commands in the remediation
//
// A fenced block that is marked for resource types becomes a [Command], with the
// names that were found in place of its placeholders:
//
//	```bash for=flexibleServers,servers title="Azure CLI, any version"
//	az resource delete --ids <ruleId>
//	```
//
// The placeholders are <subscriptionId>, <resourceGroupName>, <serverId>,
// <serverName>, <ruleId> and <ruleName>. Each stands alone, or between single
// quotes; the last two repeat the command for every firewall rule in the
// evidence. The shells are bash and powershell.
package rule

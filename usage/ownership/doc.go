// Package ownership asks Azure whose an address is: Resource Graph for the
// addresses of one's own resources, and the Service Tag Discovery API for the
// ranges of Azure's services. It asks and lists; what follows for a client is for
// usage to say. It knows nothing of logs, firewalls or reports.
//
// An address that is not found is nobody's proof. Resource Graph shows what the
// caller may read and says nothing of the rest; many machines come from addresses
// that belong to no resource (default outbound access, consumption plans, scale
// sets). What could not be read at all is a gap, and is said.
package ownership

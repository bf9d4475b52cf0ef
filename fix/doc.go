// Package fix plans how a door is closed: which narrow rules are added first so
// that the clients that depend on the door keep working, which rules are then
// deleted, what each client will experience, and the way back.
//
// A plan is data: a file that a person reads and approves, made from the state
// that was read and bound to it. The package is pure. It knows neither how a plan
// is carried out (fix/change) nor how Azure is asked (fix/azure).
package fix

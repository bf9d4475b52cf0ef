// Package azure is the live Azure that a change is carried out in: it implements
// change.Cloud over Resource Manager. It decides nothing: what is done, and in
// which order, is for fix/change to say.
package azure

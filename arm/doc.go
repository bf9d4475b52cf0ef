// Package arm speaks with one Azure: which cloud it is, with which credential,
// and how its Resource Manager is asked and told. It keeps the token with its host,
// paces calls by the budget that Azure sets, follows pages and long-running
// operations to their end, and knows nothing of what the documents mean.
package arm

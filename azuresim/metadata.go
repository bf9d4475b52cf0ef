package azuresim

import "net/http"

// metadata answers /metadata/endpoints, by which az cloud register, Terraform
// and Postern learn a cloud from its address. From 2022-09-01 it is one object,
// before that a list with one object in it.
func (c *call) metadata() reply {
	version := c.req.URL.Query().Get("api-version")
	switch {
	case c.req.Method != http.MethodGet:
		return noVerb(c.req.Method).reply()
	case version == "":
		return noAPIVersion().reply()
	case !ownVersion.MatchString(version):
		return badOwnAPIVersion(version).reply()
	case version < "2022-09-01":
		return ok([]any{c.cloud()})
	}
	return ok(c.cloud())
}

// cloud describes the simulation as a cloud of which everything is at one
// address.
func (c *call) cloud() map[string]any {
	return map[string]any{
		"name":   "AzureSim",
		"portal": c.base,
		"authentication": map[string]any{
			"loginEndpoint":    c.base,
			"audiences":        []string{c.base + "/", c.base},
			"tenant":           "common",
			"identityProvider": "AAD",
		},
		"resourceManager":            c.base,
		"graph":                      c.base,
		"graphAudience":              c.base + "/",
		"microsoftGraphResourceId":   c.base + "/",
		"gallery":                    c.base,
		"media":                      c.base,
		"batch":                      c.base,
		"sqlManagement":              c.base,
		"vmImageAliasDoc":            c.base + "/aliases.json",
		"activeDirectoryDataLake":    c.base + "/",
		"ossrDbmsResourceId":         "https://ossrdbms-aad.database.windows.net",
		"logAnalyticsResourceId":     c.base,
		"appInsightsResourceId":      c.base,
		"synapseAnalyticsResourceId": c.base,
		"attestationResourceId":      c.base,
		"suffixes": map[string]any{
			"keyVaultDns":              "vault.sim.invalid",
			"storage":                  "storage.sim.invalid",
			"acrLoginServer":           "azurecr.sim.invalid",
			"sqlServerHostname":        "database.sim.invalid",
			"mysqlServerEndpoint":      "mysql.database.azure.com",
			"mariadbServerEndpoint":    "mariadb.database.azure.com",
			"postgresqlServerEndpoint": "postgres.database.azure.com",
		},
	}
}

package guard

import (
	"bytes"
	"fmt"
	"strings"
)

// The provider is azapi, not azurerm: it takes the body that Azure takes, for a
// subscription and a management group alike, and has no resource that a later
// version renames.
const terraformHead = `# Written by postern guard. What each part does: docs/keep-it-closed.md.
terraform {
  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.0"
    }
  }
}
`

// terraformPolicy writes the definitions, the initiative and its assignment. What
// stands apart is made only when asked for.
func (r Request) terraformPolicy(p Policy) []byte {
	var b bytes.Buffer
	b.WriteString(terraformHead)
	r.writeScope(&b, "The ARM id of the subscription or management group that the policy is for.")
	if len(p.Apart) > 0 {
		b.WriteString("\nvariable \"apart\" {\n  description = \"Also create the definitions that stand apart; each says why it does.\"\n  type        = bool\n  default     = false\n}\n")
	}
	var ids []string
	for _, d := range p.all() {
		ids = append(ids, `"`+d.reference()+`"`, `"${azapi_resource.`+d.symbol()+`.id}"`)
	}
	marks := strings.NewReplacer(ids...)
	for _, d := range p.all() {
		writeTerraform(&b, d, "", marks)
	}
	for _, d := range p.Apart {
		writeTerraform(&b, d, "var.apart ? 1 : 0", marks)
	}
	return b.Bytes()
}

// terraformEvents writes the event subscriptions.
func (r Request) terraformEvents(documents []Document) []byte {
	var b bytes.Buffer
	b.WriteString(terraformHead)
	r.writeScope(&b, "The ARM id of the subscription whose changes are told.")
	b.WriteString(`
variable "webhook_url" {
  description = "The https address that takes the events, with the secret that it asks for."
  type        = string
  sensitive   = true

  validation {
    condition     = startswith(var.webhook_url, "https://")
    error_message = "Event Grid delivers to https only."
  }
}
`)
	marks := strings.NewReplacer(`"`+webhookMark+`"`, "${jsonencode(var.webhook_url)}")
	for _, d := range documents {
		writeTerraform(&b, d, "", marks)
	}
	return b.Bytes()
}

func (r Request) writeScope(b *bytes.Buffer, description string) {
	fmt.Fprintf(b, "\nvariable \"scope\" {\n  description = %q\n  type        = string\n", description)
	if r.Scope.ID != "" {
		fmt.Fprintf(b, "  default     = %q\n", r.Scope.ID)
	}
	b.WriteString("}\n")
}

// writeTerraform writes one resource. Its body is the JSON document as it stands,
// in which Terraform replaces nothing but what marks put there: the documents hold
// neither ${ nor %{.
func writeTerraform(b *bytes.Buffer, d Document, count string, marks *strings.Replacer) {
	b.WriteString("\n")
	if d.Apart != "" {
		fmt.Fprintf(b, "# Apart: %s.\n", d.Apart)
	}
	fmt.Fprintf(b, "resource \"azapi_resource\" %q {\n", d.symbol())
	if count != "" {
		fmt.Fprintf(b, "  count     = %s\n", count)
	}
	fmt.Fprintf(b, "  type      = \"%s@%s\"\n  name      = %q\n  parent_id = var.scope\n", d.Type, d.Version, d.Name)
	body := strings.ReplaceAll(marks.Replace(string(d.JSON)), "\n", "\n    ")
	fmt.Fprintf(b, "  body = jsondecode(<<-JSON\n    %s\n    JSON\n  )\n}\n", body)
}

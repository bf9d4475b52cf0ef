package guard

import (
	"fmt"
	"strings"

	"github.com/posternhq/postern/rule/shell"
)

// PolicyCommands put the policy in place, from the folder that the files are in.
// Both shells speak to Resource Manager by path, so they work in every cloud that
// the command line is logged in to.
func (r Request) PolicyCommands(f Format) Commands {
	p := r.Policy()
	var bash, ps strings.Builder
	r.beginScope(&bash, &ps)
	r.checkAliases(&bash, &ps)
	switch f {
	case Bicep:
		r.deploy(&bash, &ps, "postern-policy", bicepPolicyFile, "", "")
	case Terraform:
		terraform(&bash, "policy")
		return Commands{Bash: bash.String() + r.afterwards(f)}
	case JSON:
		bash.WriteString("\nput() { # FILE TYPE NAME\n" +
			"  local body\n  body=$(sed \"s|" + scopeMark + "|$scope|g\" \"$1\")\n" +
			"  az rest --method put --url \"$scope/providers/$2/$3?api-version=" + policyVersion + "\" \\\n" +
			"    --body \"$body\" --output none\n}\n")
		ps.WriteString("\nfunction Put($File, $Type, $Name) {\n" +
			"  $answer = Invoke-AzRestMethod -Method PUT -Path \"$scope/providers/$Type/${Name}?api-version=" + policyVersion + "\" `\n" +
			"    -Payload (Get-Content -Raw $File).Replace('" + scopeMark + "', $scope)\n" +
			"  if ($answer.StatusCode -ge 300) { throw $answer.Content }\n}\n")
		for _, d := range p.all() {
			fmt.Fprintf(&bash, "put %s %s %s\n", d.file(), d.Type, d.Name)
			fmt.Fprintf(&ps, "Put %s %s %s\n", d.file(), d.Type, d.Name)
		}
		for _, d := range p.Apart {
			for _, b := range []*strings.Builder{&bash, &ps} {
				fmt.Fprintf(b, "\n# Apart: %s.\n", d.Apart)
			}
			fmt.Fprintf(&bash, "# put %s %s %s\n", d.file(), d.Type, d.Name)
			fmt.Fprintf(&ps, "# Put %s %s %s\n", d.file(), d.Type, d.Name)
		}
	}
	return Commands{Bash: bash.String() + r.afterwards(f), PowerShell: ps.String() + r.afterwards(f)}
}

// EventCommands make the event subscriptions.
func (r Request) EventCommands(f Format) Commands {
	var bash, ps strings.Builder
	r.beginScope(&bash, &ps)
	if r.Webhook != "" {
		fmt.Fprintf(&bash, "WEBHOOK_URL=%s\n", shell.Bash.Quote(r.Webhook))
		fmt.Fprintf(&ps, "$env:WEBHOOK_URL = %s\n", shell.PowerShell.Quote(r.Webhook))
	} else {
		bash.WriteString(": \"${WEBHOOK_URL:?set it to the https address that takes the events}\"\n")
		ps.WriteString("if (-not $env:WEBHOOK_URL) { throw 'set WEBHOOK_URL to the https address that takes the events' }\n")
	}
	switch f {
	case Bicep:
		r.deploy(&bash, &ps, "postern-events", bicepEventsFile, ` --parameters webhookUrl="$WEBHOOK_URL"`,
			" -webhookUrl (ConvertTo-SecureString $env:WEBHOOK_URL -AsPlainText -Force)")
	case Terraform:
		bash.WriteString("export TF_VAR_webhook_url=\"$WEBHOOK_URL\"\n")
		terraform(&bash, "events")
		return Commands{Bash: bash.String()}
	case JSON:
		for _, d := range r.Events() {
			fmt.Fprintf(&bash, "\naz eventgrid event-subscription create --name %s --source-resource-id \"$scope\" \\\n"+
				"  --endpoint \"$WEBHOOK_URL\" --event-delivery-schema cloudeventschemav1_0 \\\n  --included-event-types %s \\\n  --advanced-filter data.operationName StringIn \\\n    %s\n",
				d.Name, strings.Join(eventTypes, " "), strings.Join(filtered(d), " \\\n    "))
			fmt.Fprintf(&ps, "\n$answer = Invoke-AzRestMethod -Method PUT -Path \"$scope/providers/%s/%s?api-version=%s\" `\n"+
				"  -Payload (Get-Content -Raw %s).Replace('%s', $env:WEBHOOK_URL)\nif ($answer.StatusCode -ge 300) { throw $answer.Content }\n",
				d.Type, d.Name, d.Version, d.file(), webhookMark)
		}
	}
	return Commands{Bash: bash.String(), PowerShell: ps.String()}
}

// filtered are the operations that an event subscription lets through.
func filtered(d Document) []string {
	var out []string
	var walk func(node)
	walk = func(n node) {
		for _, m := range n.members {
			if m.key == "values" {
				for _, v := range m.value.members {
					out = append(out, fmt.Sprint(v.value.scalar))
				}
			}
			walk(m.value)
		}
	}
	walk(decode(d.JSON))
	return out
}

// beginScope says where everything goes; where no scope was named, it is the
// subscription that the shell is logged in to.
func (r Request) beginScope(bash, ps *strings.Builder) {
	if r.Scope.ID != "" {
		fmt.Fprintf(bash, "scope='%s'\n", r.Scope.ID)
		fmt.Fprintf(ps, "$scope = '%s'\n", r.Scope.ID)
		return
	}
	bash.WriteString("scope=\"" + subscriptions + "$(az account show --query id --output tsv)\"\n")
	ps.WriteString("$scope = \"" + subscriptions + "$((Get-AzContext).Subscription.Id)\"\n")
}

// checkAliases shows what Azure knows of the aliases that the definitions use.
func (r Request) checkAliases(bash, ps *strings.Builder) {
	bash.WriteString("\n# The aliases that Azure knows. A definition that uses another is refused.\n")
	ps.WriteString("\n# The aliases that Azure knows. A definition that uses another is refused.\n")
	const wanted = "firewallRules/(start|end)IpAddress|databaseAccounts/ipR"
	seen := map[string]bool{}
	for _, t := range targetsOf(r.Services) {
		if seen[t.namespace()] {
			continue
		}
		seen[t.namespace()] = true
		fmt.Fprintf(bash, "az provider show --namespace %s --expand resourceTypes/aliases \\\n  --query 'resourceTypes[].aliases[].name' --output tsv | grep -iE '%s' || true\n", t.namespace(), wanted)
		fmt.Fprintf(ps, "(Get-AzPolicyAlias -NamespaceMatch '%s').Aliases.Name -match '%s'\n", t.namespace(), wanted)
	}
}

// deploy deploys a Bicep template at the scope.
func (r Request) deploy(bash, ps *strings.Builder, name, file, bashParameters, psParameters string) {
	bash.WriteString("location=\"${LOCATION:-westeurope}\" # where Azure keeps the record of the deployment\n\n")
	ps.WriteString("$location = 'westeurope' # where Azure keeps the record of the deployment\n\n")
	if r.Scope.Group != "" {
		fmt.Fprintf(bash, "az deployment mg create --management-group-id '%s' --location \"$location\" \\\n  --name %s --template-file %s%s\n", r.Scope.Group, name, file, bashParameters)
		fmt.Fprintf(ps, "New-AzManagementGroupDeployment -ManagementGroupId '%s' -Location $location `\n  -Name %s -TemplateFile %s%s\n", r.Scope.Group, name, file, psParameters)
		return
	}
	fmt.Fprintf(bash, "az deployment sub create --subscription \"${scope#%s}\" --location \"$location\" \\\n  --name %s --template-file %s%s\n", subscriptions, name, file, bashParameters)
	fmt.Fprintf(ps, "Set-AzContext -Subscription (($scope -split '/')[2]) | Out-Null\nNew-AzSubscriptionDeployment -Location $location `\n  -Name %s -TemplateFile %s%s\n", name, file, psParameters)
}

// terraform plans and applies the folder.
func terraform(bash *strings.Builder, folder string) {
	fmt.Fprintf(bash, "\nterraform -chdir=%s init\nterraform -chdir=%s plan -var \"scope=$scope\" -out=postern.tfplan\nterraform -chdir=%s apply postern.tfplan\n", folder, folder, folder)
}

// afterwards are steps that a person takes with open eyes, so they are comments.
func (r Request) afterwards(f Format) string {
	var b strings.Builder
	list := "az policy state list"
	switch {
	case r.Scope.Group != "":
		list += " --management-group '" + r.Scope.Group + "'"
	case r.Scope.ID != "":
		list += " --subscription " + strings.TrimPrefix(r.Scope.ID, subscriptions)
	}
	fmt.Fprintf(&b, "\n# What does not comply today. A new assignment takes about half an hour to be\n# evaluated; az policy state trigger-scan hurries it.\n"+
		"# %s --query '[].resourceId' --output tsv \\\n#   --filter \"policyAssignmentName eq '%s' and complianceState eq 'NonCompliant'\"\n", list, assignmentName)
	if r.Effect == Deny {
		b.WriteString("\n# Until this step nothing is refused, only reported.\n")
		if f == JSON {
			fmt.Fprintf(&b, "# az policy assignment update --name %s --scope \"$scope\" --enforcement-mode Default\n", assignmentName)
		} else {
			b.WriteString("# Set enforcementMode to Default in the template, and run this again.\n")
		}
	}
	fmt.Fprintf(&b, "\n# An exception, with an end. Firewall rules have no tags, so no tag can make one.\n"+
		"# az policy exemption create --name NAME --exemption-category Waiver --expires-on YYYY-MM-DDT00:00:00Z \\\n"+
		"#   --policy-assignment \"$scope/providers/%s/%s\" \\\n#   --scope ID-OF-THE-FIREWALL-RULE-OR-RESOURCE-GROUP\n", assignmentType, assignmentName)
	return b.String()
}

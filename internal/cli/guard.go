package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/guard"
	"github.com/posternhq/postern/internal/wholefile"
)

type guardOptions struct {
	services []string
	effect   string
	prefix   string
	scope    string
	webhook  string
	format   string
	output   string
}

func newGuard(env Env) *cobra.Command {
	o := &guardOptions{}
	cmd := &cobra.Command{
		Use:   "guard [policy|events]",
		Short: "Write the Azure Policy that keeps the doors closed, or the events that tell of changes",
		Long: `Write what keeps closed doors closed. "policy", the default, is an Azure Policy that
reports or refuses the firewall rules behind the azure door and the internet door,
with the commands that assign it. "events" is an Event Grid subscription that calls a
webhook whenever a firewall rule changes.

Without --format it explains itself and shows everything. With --format it prints the
documents alone, and with --output it writes them to a folder. Azure is not asked, and
nothing is changed.`,
		Example: `  postern guard
  postern guard --effect deny --scope /providers/Microsoft.Management/managementGroups/data -o guard
  postern guard --service all --format terraform -o guard
  postern guard events --scope 00000000-0000-0000-0000-000000000000`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "policy" && args[0] != "events" {
				return usagef("give policy or events, and one of them; got %q", args)
			}
			return nil
		},
		ValidArgs: []string{"policy", "events"},
		RunE: func(_ *cobra.Command, args []string) error {
			return o.run(env, len(args) == 1 && args[0] == "events")
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.services, "service", []string{string(guard.PostgreSQL)}, "which services: postgresql, sql, mysql, mariadb, synapse, cosmosdb, documentdb, or all (comma-separated)")
	f.StringVar(&o.effect, "effect", string(guard.Audit), "what the policy does: audit (report) or deny (refuse; begins without enforcement)")
	f.StringVar(&o.prefix, "max-range", fmt.Sprintf("/%d", guard.DefaultPrefix), "the widest range that one rule may admit, /8 to /32")
	f.StringVar(&o.scope, "scope", "", "a subscription id, or the ARM id of a subscription or management group (default: the one that the shell is logged in to)")
	f.StringVar(&o.webhook, "webhook", "", "with events: the https address to call, without secrets (default: the commands read WEBHOOK_URL)")
	f.StringVarP(&o.format, "format", "f", "", "print or write the documents as json, bicep or terraform")
	f.StringVarP(&o.output, "output", "o", "", "the folder to write the files into; nothing in it is replaced")
	return cmd
}

func (o *guardOptions) run(env Env, events bool) error {
	request, format, err := o.request(events)
	if err != nil {
		return &usageError{err}
	}
	if o.format == "" && o.output == "" {
		if events {
			return request.EventsOverview(env.Out)
		}
		return request.PolicyOverview(env.Out)
	}
	files := request.PolicyFiles(format)
	if events {
		files = request.EventFiles(format)
	}
	if o.output == "" {
		return printFiles(env, files)
	}
	if err := writeFiles(o.output, files); err != nil {
		return err
	}
	for _, file := range files {
		fmt.Fprintln(env.Out, filepath.Join(o.output, filepath.FromSlash(file.Name)))
	}
	return nil
}

// request reads the flags.
func (o *guardOptions) request(events bool) (r guard.Request, f guard.Format, err error) {
	f = guard.JSON
	if o.format != "" {
		if f, err = guard.ParseFormat(o.format); err != nil {
			return r, f, fmt.Errorf("--format %w", err)
		}
	}
	if r.Services, err = guard.ParseServices(o.services); err != nil {
		return r, f, fmt.Errorf("--service %w", err)
	}
	if r.Effect, err = guard.ParseEffect(o.effect); err != nil {
		return r, f, fmt.Errorf("--effect %w", err)
	}
	if r.Prefix, err = guard.ParsePrefix(o.prefix); err != nil {
		return r, f, fmt.Errorf("--max-range %w", err)
	}
	if r.Scope, err = guard.ParseScope(o.scope); err != nil {
		return r, f, fmt.Errorf("--scope %w", err)
	}
	switch {
	case o.webhook != "" && !events:
		return r, f, errors.New("--webhook is for postern guard events")
	case events && r.Scope.Group != "":
		return r, f, errors.New("--scope is a management group, and Event Grid tells of one subscription; run this for each subscription")
	case o.webhook != "":
		if r.Webhook, err = guard.ParseWebhook(o.webhook); err != nil {
			return r, f, fmt.Errorf("--webhook: %w", err)
		}
	}
	return r, f, nil
}

// printFiles prints the documents and leaves the scripts out: a template as it
// is, and JSON documents as one, by their file names.
func printFiles(env Env, files []guard.File) error {
	documents := map[string]json.RawMessage{}
	for _, file := range files {
		switch filepath.Ext(file.Name) {
		case ".bicep", ".tf":
			_, err := env.Out.Write(file.Content)
			return err
		case ".json":
			documents[file.Name] = file.Content
		}
	}
	encoder := json.NewEncoder(env.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(documents)
}

// writeFiles writes all files or, when one of them is there already, none.
func writeFiles(folder string, files []guard.File) error {
	for _, file := range files {
		path := filepath.Join(folder, filepath.FromSlash(file.Name))
		switch _, err := os.Lstat(path); {
		case err == nil:
			return fmt.Errorf("%s exists and is not replaced; name another folder, or remove it", path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("look for %s: %w", path, err)
		}
	}
	for _, file := range files {
		path := filepath.Join(folder, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the folder for the files: %w", err)
		}
		f, err := wholefile.Create(path, 0o644)
		if err != nil {
			return fmt.Errorf("create a file: %w", err)
		}
		if _, err := f.Write(file.Content); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Discard())
		}
		if err := f.Commit(); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

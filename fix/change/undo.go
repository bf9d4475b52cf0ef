package change

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/posternhq/postern/fix/journal"
)

// Undo takes back a change, or one server of the newest change that still holds
// there. Target is a change's name, or a server's name or ARM id. Rules that were
// deleted are put back first, then those that were added are taken away, each only
// if others did not change it; what others did beside them stays. A server that a
// later change has touched since is refused: that one comes first. What was undone
// can be undone again, for a delete may take effect after it was put back.
func Undo(ctx context.Context, target string, o Options) (Result, error) {
	changes, unreadable, err := list(o.Dir)
	if err != nil && len(unreadable) == 0 {
		return Result{}, err
	}
	if err := certain(target, unreadable, err); err != nil {
		return Result{}, err
	}
	chosen, serverID, err := choose(changes, target)
	if err != nil {
		return Result{}, err
	}
	r := &run{o: o.withDefaults(), change: chosen}
	var scope []*progress
	return r.reopen(ctx, func(h *history) ([]*progress, error) {
		for _, p := range h.servers {
			if serverID != "" && !samePlace(p, serverID) || p.phase == PhaseBlocked || p.phase == PhaseUndone && !p.touched() {
				continue
			}
			if later, is := newer(changes, chosen, p.server.Server.ID); is && p.touched() {
				return nil, refuse(fmt.Sprintf("take that back first with `postern fix undo %s`", later),
					"server %q was changed again since, by change %s", p.server.Server.Name, later)
			}
			scope = append(scope, p)
		}
		if len(scope) == 0 {
			return nil, refuse("", "change %s was undone already", chosen)
		}
		return slices.DeleteFunc(slices.Clone(scope), func(p *progress) bool { return !p.touched() }), nil
	}, func(ctx context.Context) (Result, error) {
		var todo []*progress
		for _, p := range scope {
			// The journal was replayed since: the same server, with what is known now.
			todo = append(todo, r.history.server(p.server.Server.ID))
		}
		for _, p := range todo {
			// All of them are marked first, so that a resumed run knows them all.
			if p.phase == PhaseUndoing {
				continue
			}
			if err := r.append(p, journal.Record{Kind: journal.Undoing, What: "it is taken back"}); err != nil {
				return r.outcome(nil), err
			}
		}
		return r.end(r.each(ctx, todo, r.backward))
	})
}

// certain refuses when a journal that cannot be read may hold the change that is
// meant, or a later one than it.
func certain(target string, unreadable []string, err error) error {
	for _, change := range unreadable {
		switch {
		case !journal.IsID(target):
			return refuse("give the name of the change that you mean; `postern fix status` lists them",
				"change %s may be the last at that server, and its journal cannot be read: %v", change, err)
		case began(change) > began(target) && change != target:
			return refuse("give that journal its contents back, or, if you are sure that it is no later change of the same servers, move it out of the folder",
				"change %s is later than %s, and its journal cannot be read: %v", change, target, err)
		}
	}
	return nil
}

// began is the part of a change's name that says when it began.
func began(change string) string { return change[:strings.LastIndex(change, "-")] }

// choose finds the change that is meant, and the server when one is.
func choose(changes []Summary, target string) (change, serverID string, err error) {
	if journal.IsID(target) {
		return target, "", nil
	}
	ids := map[string]string{}
	for _, s := range changes {
		for _, server := range s.Servers {
			if strings.EqualFold(server.Server.ID, target) || strings.EqualFold(server.Server.Name, target) {
				ids[key(server.Server.ID)] = server.Server.ID
			}
		}
	}
	switch len(ids) {
	case 0:
		return "", "", refuse("`postern fix status` lists what there is", "no change and no changed server is called %q", target)
	case 1:
	default:
		return "", "", refuse("give its id", "%d servers are called %q", len(ids), target)
	}
	for id, spelled := range ids {
		serverID = spelled
		// One that holds comes before one that was undone and can be again.
		for _, fits := range []func(ServerSummary) bool{ServerSummary.holds, func(s ServerSummary) bool { return s.Begun }} {
			for _, s := range changes {
				if slices.ContainsFunc(s.Servers, func(server ServerSummary) bool { return key(server.Server.ID) == id && fits(server) }) {
					return s.Change, spelled, nil
				}
			}
		}
	}
	return "", "", refuse("", "nothing is left to undo at %q: no change of it did anything", serverID)
}

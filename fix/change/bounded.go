package change

import (
	"context"
	"encoding/json"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
)

// bounded is a cloud each of whose calls ends in time: one that hangs would hold
// its server, and the run, for ever.
type bounded struct {
	cloud    Cloud
	deadline time.Duration
}

func (b bounded) Identity(ctx context.Context) (Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.Identity(ctx)
}

func (b bounded) Server(ctx context.Context, s fix.Server) (*asset.Asset, error) {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.Server(ctx, s)
}

func (b bounded) Locks(ctx context.Context, s fix.Server) ([]fix.Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.Locks(ctx, s)
}

func (b bounded) Missing(ctx context.Context, s fix.Server, permissions []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.Missing(ctx, s, permissions)
}

func (b bounded) PutRule(ctx context.Context, s fix.Server, ruleID string, properties json.RawMessage) error {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.PutRule(ctx, s, ruleID, properties)
}

func (b bounded) DeleteRule(ctx context.Context, s fix.Server, ruleID string) error {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	return b.cloud.DeleteRule(ctx, s, ruleID)
}

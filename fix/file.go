package fix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/posternhq/postern/internal/jsonkeys"
)

// MaxPlan bounds a plan's file, in bytes. A client takes about half a kilobyte.
const MaxPlan = 256 << 20

// New makes a plan of the servers' plans, with its digest.
func New(tool Tool, cloud Cloud, keep Keep, servers []ServerPlan, now time.Time) (*Plan, error) {
	p := &Plan{Version: PlanVersion, CreatedAt: now.UTC().Truncate(time.Second), Tool: tool, Cloud: cloud, Keep: keep, Servers: servers}
	_, digest, err := encode(p)
	if err != nil {
		return nil, fmt.Errorf("make the plan: %w", err)
	}
	p.Digest = digest
	return p, p.check()
}

// Write writes a plan that [Read] takes. It fails where the plan does not hold
// together, because such a plan must not get into anybody's hands.
func Write(out io.Writer, p *Plan) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	doc, digest, err := encode(p)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if digest != p.Digest {
		return errors.New("write the plan: it was changed after it was made")
	}
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	b.WriteByte('\n')
	if b.Len() > MaxPlan {
		return fmt.Errorf("write the plan: it would be larger than %d MB: plan fewer servers at a time", MaxPlan>>20)
	}
	if _, err := out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// Read reads a plan and checks all of it: the version, the digest, and that its
// parts agree: each address is one, each id lies below its server, and the steps
// lead from the state before to the state after and back. Whoever can change a
// plan can also give it a fitting digest; what was approved is a file, and where
// it is kept matters.
func Read(in io.Reader) (*Plan, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxPlan+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if len(data) > MaxPlan {
		return nil, fmt.Errorf("read the plan: it is larger than %d MB", MaxPlan>>20)
	}
	p, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return p, nil
}

func decode(data []byte) (*Plan, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return nil, fmt.Errorf("it is no JSON document: %w", err)
	}
	doc := b.Bytes()
	var version struct {
		Version string `json:"version"`
	}
	switch err := json.Unmarshal(doc, &version); {
	case err != nil:
		return nil, fmt.Errorf("it is no plan: %w", err)
	case version.Version == PlanVersion:
	case strings.HasPrefix(version.Version, "postern.plan/"):
		return nil, fmt.Errorf("it is of version %q, and this Postern reads %s: use the Postern that made it, or a newer one", version.Version, PlanVersion)
	default:
		return nil, fmt.Errorf("it is no plan: its version is %q, not %s", version.Version, PlanVersion)
	}
	if key := jsonkeys.Twice(doc, 0); key != "" {
		return nil, fmt.Errorf("it says %q twice", key)
	}
	p := &Plan{}
	decoder := json.NewDecoder(bytes.NewReader(doc))
	// A field that this version does not know may change what the others mean.
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("it does not have the form of %s, or a newer Postern made it: %w", PlanVersion, err)
	}
	if got, ok := digestOf(doc, p.Digest); !ok || got != p.Digest {
		return nil, errors.New("its digest does not fit: it was edited or is damaged; make a new plan")
	}
	return p, p.check()
}

// encode returns the compact document with its digest.
func encode(p *Plan) (doc []byte, digest string, err error) {
	bare := *p
	bare.Digest = ""
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(bare); err != nil {
		return nil, "", err
	}
	doc = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	digest, _ = digestOf(doc, "")
	doc = append(bytes.TrimSuffix(doc, []byte(tail(""))), tail(digest)...)
	return doc, digest, nil
}

// digestOf is the SHA-256 of a compact document without its last field, which is
// the digest. It is false for a document that does not end with that digest.
func digestOf(doc []byte, digest string) (string, bool) {
	body, ok := bytes.CutSuffix(doc, []byte(tail(digest)))
	if !ok {
		return "", false
	}
	h := sha256.New()
	h.Write(body)
	h.Write([]byte("}"))
	return hex.EncodeToString(h.Sum(nil)), true
}

func tail(digest string) string { return `,"digest":"` + digest + `"}` }

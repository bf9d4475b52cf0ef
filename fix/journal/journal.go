package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/internal/wholefile"
)

const extension = ".jsonl"

// id is the form of a change's name: when it began, and six digits of chance.
var id = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$`)

// NewID names a change that begins now.
func NewID(now time.Time) string {
	var chance [3]byte
	rand.Read(chance[:]) // It never fails: the program ends instead.
	return fmt.Sprintf("%s-%x", now.UTC().Format("20060102-150405"), chance)
}

// IsID reports whether a text has the form of a change's name.
func IsID(s string) bool { return id.MatchString(s) }

// Author is who writes a journal, and by which clock.
type Author struct {
	// Who is the principal, never its token.
	Who string
	Now func() time.Time
}

// Journal is a journal that is being written. It may be used from several
// goroutines.
type Journal struct {
	author Author
	change string

	mu   sync.Mutex
	file file
	path string
	seq  int
	sum  []byte
	size int64
	// broken is why nothing may be appended any more.
	broken error
}

// file is what a journal needs of an [os.File].
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Stat() (os.FileInfo, error)
	Close() error
}

// Create begins the journal of a change, named by [NewID]. When it returns, the
// first record, which holds the plan, is on disk. A folder that is not there is
// made, for its owner only.
func Create(dir, change string, plan *fix.Plan, settings Settings, author Author) (*Journal, error) {
	path, err := pathOf(dir, change)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("begin a journal: %s is there already", path)
	}
	first := Record{
		Version: Version, Seq: 1, At: author.Now().UTC(), Change: change, Kind: Begun, Who: author.Who,
		What: fmt.Sprintf("the plan %s is carried out", plan.Digest), Plan: plan, Settings: &settings,
	}
	line, sum, err := encodeLine(first, nil)
	if err != nil {
		return nil, err
	}
	// The file gets its name when it is whole, so that no journal is without a plan.
	whole, err := wholefile.Create(path, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	if _, err := whole.Write(line); err != nil {
		return nil, fmt.Errorf("begin a journal: %w", errors.Join(err, whole.Discard()))
	}
	if err := whole.Commit(); err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	if err := syncFolder(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	return &Journal{author: author, change: change, file: f, path: path, seq: 1, sum: sum, size: int64(len(line))}, nil
}

// Load reads the journal of a change and changes nothing. A journal that is being
// written may end in half a record.
func Load(dir, change string) (Contents, error) {
	path, err := pathOf(dir, change)
	if err != nil {
		return Contents{}, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Contents{}, fmt.Errorf("there is no journal of a change %s in %s: %w", change, dir, fs.ErrNotExist)
	}
	if err != nil {
		return Contents{}, fmt.Errorf("read the journal of change %s: %w", change, err)
	}
	c, err := Decode(data)
	if err != nil {
		return Contents{}, fmt.Errorf("read the journal %s: %w", path, err)
	}
	if c.First().Change != change {
		return Contents{}, fmt.Errorf("read the journal %s: it is of change %q; give it its name back", path, c.First().Change)
	}
	return c, nil
}

// Open reads a journal and makes it ready for more. What is damaged at its end is
// kept aside in a file of its own before it is cut off, and a record tells of it.
// The caller holds the lock of the plan.
func Open(dir, change string, author Author) (*Journal, Contents, error) {
	c, err := Load(dir, change)
	if err != nil {
		return nil, Contents{}, err
	}
	path, _ := pathOf(dir, change) // Load has checked the name.
	if c.Damage != nil {
		if err := keepAside(dir, path, c.Damage.Offset); err != nil {
			return nil, Contents{}, err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, Contents{}, fmt.Errorf("open the journal of change %s: %w", change, err)
	}
	j := &Journal{author: author, change: change, file: f, path: path, seq: len(c.Records), sum: c.sum, size: c.size}
	if c.Damage != nil {
		if err := errors.Join(f.Truncate(c.size), f.Sync()); err != nil {
			return nil, Contents{}, fmt.Errorf("cut the damaged end off the journal %s: %w", path, errors.Join(err, f.Close()))
		}
		r, err := j.Append(Record{Kind: Recovered, What: c.Damage.String(), Damage: c.Damage})
		if err != nil {
			return nil, Contents{}, errors.Join(err, f.Close())
		}
		c.Records = append(c.Records, r)
	}
	return j, c, nil
}

// keepAside copies the end of a journal to a file that is named after where it
// was and what it says: doing it again after a kill comes to the same file.
func keepAside(dir, path string, from int64) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("set the damaged end of a journal aside: %w", err)
	}
	tail := data[from:]
	name := fmt.Sprintf("%s.damaged-%d-%x", strings.TrimSuffix(path, extension), from, sha256.Sum256(tail))
	name = name[:len(name)-2*sha256.Size+16]
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, tail) {
		return syncFolder(dir)
	}
	aside, err := wholefile.Create(name, 0o600)
	if err != nil {
		return fmt.Errorf("set the damaged end of a journal aside: %w", err)
	}
	if _, err := aside.Write(tail); err != nil {
		return fmt.Errorf("set the damaged end of a journal aside: %w", errors.Join(err, aside.Discard()))
	}
	if err := aside.Commit(); err != nil {
		return fmt.Errorf("set the damaged end of a journal aside: %w", err)
	}
	return syncFolder(dir)
}

// Append writes a record and returns it as written once it is on disk. After an
// error the record must be taken for not written, and what it announces not be
// done.
func (j *Journal) Append(r Record) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return Record{}, j.broken
	}
	if err := j.inPlace(); err != nil {
		j.broken = err
		return Record{}, err
	}
	r.Version, r.Seq, r.At, r.Change, r.Who = "", j.seq+1, j.author.Now().UTC(), j.change, j.author.Who
	line, sum, err := encodeLine(r, j.sum)
	if err != nil {
		return Record{}, err
	}
	if _, err := j.file.Write(line); err != nil {
		err = fmt.Errorf("write to the journal of change %s: %w; make room or mend the disk, then go on with `postern fix resume %s`", j.change, err, j.change)
		// Half a record must not stand before the next one.
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = errors.Join(err, cut)
		}
		return Record{}, err
	}
	if err := j.file.Sync(); err != nil {
		// What is on disk is not known after this, and a second Sync would not say.
		j.broken = fmt.Errorf("write the journal of change %s to disk: %w; mend the disk, then go on with `postern fix resume %s`", j.change, err, j.change)
		return Record{}, j.broken
	}
	j.seq, j.sum, j.size = r.Seq, sum, j.size+int64(len(line))
	return r, nil
}

// inPlace makes sure that the file still has its name: what is written to one that
// was deleted or moved away is found by nobody.
func (j *Journal) inPlace() error {
	open, err := j.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the journal of change %s: %w", j.change, err)
	}
	named, err := os.Stat(j.path)
	if err != nil {
		return fmt.Errorf("look whether the journal of change %s is still there: %w; give it its place back", j.change, err)
	}
	if !os.SameFile(open, named) {
		return fmt.Errorf("write to the journal of change %s: %s is no longer the file that this run writes to; give it its place back", j.change, j.path)
	}
	return nil
}

// Close ends the writing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = fmt.Errorf("write to the journal of change %s: %w", j.change, fs.ErrClosed)
	}
	return j.file.Close()
}

// List names the changes that have a journal in a folder, the oldest first. A
// folder that is not there has none.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the journals: %w", err)
	}
	var changes []string
	for _, e := range entries {
		if change, isJournal := strings.CutSuffix(e.Name(), extension); isJournal && id.MatchString(change) {
			changes = append(changes, change)
		}
	}
	return changes, nil
}

func pathOf(dir, change string) (string, error) {
	if !id.MatchString(change) {
		return "", fmt.Errorf("%q is no name of a change, such as 20261124-093000-1a2b3c; `postern fix status` lists them", change)
	}
	return filepath.Join(dir, change+extension), nil
}

func makeFolder(dir string) error {
	if dir == "" {
		return errors.New("make the folder for journals: it has no name")
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for journals: %w", err)
	}
	return syncFolder(filepath.Dir(dir))
}

// syncFolder makes sure that the names in a folder are on disk. Windows has no
// such call and needs none.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the folder %s to write it to disk: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write the folder %s to disk: %w", dir, err)
	}
	return nil
}

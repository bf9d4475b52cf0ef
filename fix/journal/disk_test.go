package journal

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/posternhq/postern/fix"
)

// faulty is a file on a disk that fails.
type faulty struct {
	*os.File
	room            int
	noSync, noTrunc bool
}

var errDisk = errors.New("no space left on device")

func (f *faulty) Write(b []byte) (int, error) {
	if len(b) <= f.room {
		f.room -= len(b)
		return f.File.Write(b)
	}
	n, err := f.File.Write(b[:f.room])
	f.room = 0
	return n, errors.Join(err, errDisk)
}

func (f *faulty) Sync() error {
	if f.noSync {
		return errDisk
	}
	return f.File.Sync()
}

func (f *faulty) Truncate(n int64) error {
	if f.noTrunc {
		return errDisk
	}
	return f.File.Truncate(n)
}

func TestAFullDisk(t *testing.T) {
	tests := map[string]struct {
		disk faulty
		// again says whether the journal takes records once there is room.
		again bool
	}{
		"no room":              {faulty{room: 20}, true},
		"no room, stuck":       {faulty{room: 20, noTrunc: true}, false},
		"nothing gets to disk": {faulty{room: 1 << 20, noSync: true}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir, change := t.TempDir(), NewID(time.Now())
			j, err := Create(dir, change, &fix.Plan{Digest: "d"}, Settings{}, Author{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			disk := tt.disk
			disk.File = j.file.(*os.File)
			j.file = &disk
			if _, err := j.Append(Record{Kind: Intent, What: "something long enough to be cut"}); !errors.Is(err, errDisk) {
				t.Errorf("the record that did not fit: %v", err)
			}
			disk.room, disk.noSync, disk.noTrunc = 1<<20, false, false
			if _, err := j.Append(Record{Kind: Ended, What: "after"}); (err == nil) != tt.again {
				t.Errorf("the next record: %v", err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			c, err := Load(dir, change)
			if err != nil {
				t.Fatal(err)
			}
			if tt.again && (c.Damage != nil || len(c.Records) != 2 || c.Records[1].Kind != Ended) {
				t.Errorf("%d records, %+v", len(c.Records), c.Damage)
			}
		})
	}
}

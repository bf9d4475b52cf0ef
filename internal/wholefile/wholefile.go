// Package wholefile writes files that appear under their name only when they are
// whole: a crash, a full disk or a second Ctrl-C leaves what stood there before.
package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file on its way to its name. It must be committed or discarded.
type File struct {
	*os.File
	// target is the name it will get, empty when it is written in place.
	target string
}

// Create begins a file. One that exists keeps its permissions; a new one gets
// mode. A symbolic link is followed and stays one. What is no regular file, such
// as a pipe or a device, is written in place: there is nothing to replace.
func Create(path string, mode fs.FileMode) (*File, error) {
	if path == "" {
		return nil, errors.New("create a file: it has no name")
	}
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved
	}
	switch info, err := os.Stat(target); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("create %s: it is a folder", path)
	case !info.Mode().IsRegular():
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &File{File: f}, nil
	default:
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return nil, err
	}
	file := &File{File: f, target: target}
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(err, file.Discard())
	}
	return file, nil
}

// Commit makes sure that all of it is on disk and gives it its name.
func (f *File) Commit() error {
	if f.target == "" {
		return f.Close()
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.Close(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), f.target); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Discard gives up: nothing is left behind.
func (f *File) Discard() error {
	err := f.Close()
	if f.target != "" {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

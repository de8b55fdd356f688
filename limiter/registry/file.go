package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// ErrFile is wrapped by the error for a file that no [File] has written.
var ErrFile = errors.New("registry: not a file of accounts")

// A File is a store in one JSON file. Each Save writes the whole file anew, beside
// the old one, and then puts it in its place, so that a crash at any moment leaves
// one of the two whole. It is meant for thousands of accounts in one process, not
// for millions or several. All may use it at once.
type File struct {
	path     string
	mu       sync.Mutex
	accounts map[string]Account
}

// OpenFile returns a store in the file, which is made by the first Save where there
// is none. A file that cannot be read as a whole is an error that wraps [ErrFile]
// and says where it is wrong; it is left as it is. Other errors are those of reading.
func OpenFile(path string) (*File, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // else the first Save would put a file in the place of the link
	}
	f := &File{path: path, accounts: make(map[string]Account)}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	accounts, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	for _, a := range accounts {
		f.accounts[a.Name] = a
	}
	return f, nil
}

// Load is every account in the file, by name.
func (f *File) Load(ctx context.Context) ([]Account, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return byName(f.accounts), nil
}

// Save writes the account. It is on the disk when Save returns; an error that says
// so leaves that open.
func (f *File) Save(ctx context.Context, a Account) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := maps.Clone(f.accounts)
	next[a.Name] = a.clone()
	data, err := encode(byName(next))
	if err != nil {
		return err
	}
	if err := replace(f.path, data); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	if err := syncFolder(filepath.Dir(f.path)); err != nil {
		return fmt.Errorf("registry: whether %s outlives a power cut is open until the next change: %w", f.path, err)
	}
	f.accounts = next
	return nil
}

// replace writes a file anew and then puts it in the place of the old one.
func replace(path string, data []byte) (err error) {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	beside := path + ".new" // always the same, so that crashes leave one at most
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// It is made anew, so that nobody's link or open file is written to.
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // a second time, where Close has failed
			_ = os.Remove(beside)
		}
	}()
	if err := file.Chmod(mode); err != nil {
		return err
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(beside, path)
}

// syncFolder makes a rename last, where the system can. Windows need not: it does so
// by itself.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if err := folder.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// Package flags turns what was written on a command line into what the library
// takes. Its errors name the flag.
package flags

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/policy"
)

// Parse reads the flags. The error is flag.ErrHelp where they ask for help, which is
// then on help. Flags are all that a program takes; example shows one.
func Parse(set *flag.FlagSet, args []string, help io.Writer, example string) error {
	set.SetOutput(io.Discard)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(help)
		set.PrintDefaults()
		return err
	case err != nil:
		return fmt.Errorf("%w; -h lists the flags", err)
	}
	if rest := set.Args(); len(rest) > 0 {
		return fmt.Errorf("argument %q: leave it out, or write it as a flag: %s", mask.Phone(rest[0]), example)
	}
	return nil
}

// The years in which something virtual may start. A limiter counts nanoseconds in 64
// bits, which end in 2262.
const (
	FirstYear = 1970
	LastYear  = 2199
)

// Start is the time of -start, in UTC.
func Start(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("-start %q: write a time as 2026-01-05T08:00:00Z", text)
	}
	if y := t.UTC().Year(); y < FirstYear || y > LastYear {
		return t, fmt.Errorf("-start %q: use a year from %d to %d", text, FirstYear, LastYear)
	}
	return t.UTC(), nil
}

// Seed gives every number of -seed its own seed, but that 0 shares one with the
// least: to the library seed 0 means a secret one.
func Seed(n int64) uint64 {
	if n == 0 {
		n = math.MinInt64
	}
	return uint64(n)
}

// Policy is the ready-made policy that -policy names, or the one in the file.
func Policy(name string) (policy.Policy, error) {
	p, unknown := policy.For(name)
	if unknown == nil {
		return p, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(name, ".json") {
		return p, fmt.Errorf("-policy: %w, or name a JSON file", unknown)
	}
	if err != nil {
		return p, fmt.Errorf("-policy: %w; name a file that can be read", err)
	}
	if p, err = policy.Read(bytes.NewReader(data)); err != nil {
		return p, fmt.Errorf("-policy %q:\n  %s", name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	if p.Slug == "" {
		p.Slug = name
	}
	return p, nil
}

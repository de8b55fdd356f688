package main

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

	"github.com/wapace/wapace/policy"
)

// settings are what the flags ask for.
type settings struct {
	in      string // empty: the built-in sample
	policy  policy.Policy
	account string
	seed    uint64
	typing  bool
	virtual bool
	start   time.Time
	json    bool
}

// The years in which a virtual campaign may start. A limiter counts nanoseconds
// in 64 bits, which end in 2262.
const firstYear, lastYear = 1970, 2199

// readSettings reads the flags. The error is flag.ErrHelp where they ask for
// help, which is then on help.
func readSettings(args []string, help io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.in, "in", "", "pace the rows of `FILE`, CSV with the columns to and text (default a built-in sample)")
	chosen := flags.String("policy", "standard", "pace by `SLUG`, a ready-made policy, or by FILE.json")
	flags.StringVar(&s.account, "account", "447700900000", "send from account `N`")
	seed := flags.Int64("seed", 1, "draw pauses, typing times and ids by seed `N`")
	flags.BoolVar(&s.typing, "typing", true, "show typing before each message")
	flags.BoolVar(&s.virtual, "virtual", false, "use a virtual clock that never waits")
	start := flags.String("start", "2026-01-05T08:00:00Z", "begin at the time `RFC3339`; only with -virtual")
	flags.BoolVar(&s.json, "json", false, "print each message that is done with as a line of JSON")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(help)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, fmt.Errorf("%w; -h lists the flags", err)
	}
	if rest := flags.Args(); len(rest) > 0 {
		return s, fmt.Errorf("argument %q: leave it out, or write it as a flag: -in FILE, -typing=false", rest[0])
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["in"] && s.in == "" {
		return s, errors.New(`-in "": name a CSV file, or leave -in out for the built-in sample`)
	}
	if given["start"] && !s.virtual {
		return s, fmt.Errorf("-start %q: add -virtual, or leave -start out: the real clock starts now", *start)
	}
	var err error
	if s.start, err = readStart(*start); err != nil {
		return s, err
	}
	s.seed = readSeed(*seed)
	s.policy, err = readPolicy(*chosen)
	return s, err
}

func readStart(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("-start %q: write a time as 2026-01-05T08:00:00Z", text)
	}
	if y := t.UTC().Year(); y < firstYear || y > lastYear {
		return t, fmt.Errorf("-start %q: use a year from %d to %d", text, firstYear, lastYear)
	}
	return t.UTC(), nil
}

// readSeed gives every number its own seed, but that 0 shares one with the least:
// to the library seed 0 means a secret one.
func readSeed(n int64) uint64 {
	if n == 0 {
		n = math.MinInt64
	}
	return uint64(n)
}

// readPolicy is the ready-made policy with the name, or the one in the file.
func readPolicy(name string) (policy.Policy, error) {
	p, unknown := policy.Presets().Choose(name, true)
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

// read is the campaign's file.
func (s settings) read() ([]byte, error) {
	if s.in == "" {
		return []byte(sample), nil
	}
	data, err := os.ReadFile(s.in)
	if err != nil {
		return nil, fmt.Errorf("-in: %w; name a file that can be read", err)
	}
	return data, nil
}

// source names the campaign's file in errors.
func (s settings) source() string {
	if s.in == "" {
		return "the built-in sample"
	}
	return fmt.Sprintf("-in %q", s.in)
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wapace/wapace/examples/internal/flags"
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

// readSettings reads the flags. The error is flag.ErrHelp where they ask for
// help, which is then on help.
func readSettings(args []string, help io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.StringVar(&s.in, "in", "", "pace the rows of `FILE`, CSV with the columns to and text (default a built-in sample)")
	chosen := set.String("policy", "standard", "pace by `SLUG`, a ready-made policy, or by FILE.json")
	set.StringVar(&s.account, "account", "447700900000", "send from account `N`")
	seed := set.Int64("seed", 1, "draw pauses, typing times and ids by seed `N`")
	set.BoolVar(&s.typing, "typing", true, "show typing before each message")
	set.BoolVar(&s.virtual, "virtual", false, "use a virtual clock that never waits")
	start := set.String("start", "2026-01-05T08:00:00Z", "begin at the time `RFC3339`; only with -virtual")
	set.BoolVar(&s.json, "json", false, "print each message that is done with as a line of JSON")
	if err := flags.Parse(set, args, help, "-in FILE, -typing=false"); err != nil {
		return s, err
	}
	given := make(map[string]bool)
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["in"] && s.in == "" {
		return s, errors.New(`-in "": name a CSV file, or leave -in out for the built-in sample`)
	}
	if given["start"] && !s.virtual {
		return s, fmt.Errorf("-start %q: add -virtual, or leave -start out: the real clock starts now", *start)
	}
	var err error
	if s.start, err = flags.Start(*start); err != nil {
		return s, err
	}
	s.seed = flags.Seed(*seed)
	s.policy, err = flags.Policy(*chosen)
	return s, err
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

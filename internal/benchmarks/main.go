// Benchmarks measures the same work done by wapace and by other rate limiters.
//
// The legs of a pair take turns in one process: ours, theirs, ours, theirs. What
// is told is the median, and as ratio the median of the ratios of the pairs, so
// that a machine which is busy for a while slows both sides. Where a limiter
// takes the time both sides are given it, on a clock that moves from request to
// request; where it reads the clock itself, ours is read too.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/wapace/wapace/limiter"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is the program less the process that it is.
func run(args []string, out, complaints io.Writer) error {
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	flags.SetOutput(complaints)
	var (
		asJSON = flags.Bool("json", false, "print one object a line")
		leg    = flags.Duration("time", 200*time.Millisecond, "how long one leg of a pair takes, about")
		pairs  = flags.Int("pairs", 15, "how many pairs of legs")
		keys   = flags.Int("keys", 1_000_000, "how many accounts the works with many have")
		only   = flags.String("work", "", "measure only the work of this name")
	)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("benchmarks: argument %q: give flags only", flags.Arg(0))
	case *leg <= 0:
		return fmt.Errorf("benchmarks: time %v: use more than 0", *leg)
	case *pairs < 1:
		return fmt.Errorf("benchmarks: pairs %d: use 1 or more", *pairs)
	case *keys < 1:
		return fmt.Errorf("benchmarks: keys %d: use 1 or more", *keys)
	}

	m := meter{clock: limiter.RealClock(), leg: *leg, pairs: *pairs}
	t := newTable(out, fmt.Sprintf("%s %s/%s, GOMAXPROCS %d, median of %d pairs of %v",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), *pairs, *leg))
	known := false
	for _, w := range works(newCrowd(*keys)) {
		if *only != "" && w.name != *only {
			continue
		}
		known = true
		for _, p := range w.pairs {
			r, err := m.measure(w.name, p)
			if err != nil {
				return err
			}
			show := t.row
			if *asJSON {
				show = func(r result) error { return printJSON(out, r) }
			}
			if err := show(r); err != nil {
				return err
			}
		}
	}
	if !known {
		return fmt.Errorf("benchmarks: work %q: use one that the program prints without -work", *only)
	}
	return nil
}

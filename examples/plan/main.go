// Command plan says what a policy means for a campaign before anything is sent: what
// in the policy's numbers does not do what it seems to, how many messages go on
// which day, what holds the others back, and when the last one goes.
//
//	go run ./examples/plan -policy standard -messages 5000 -start 2026-01-05T08:00:00Z -seed 7
//	go run ./examples/plan -policy mine.json -messages 5000 -svg plan.svg
//
// What it says is what examples/quickstart then does with as many rows and the same
// flags, but for typing. Run it with -h for the flags.
//
// The exit status is 0 where all messages go, 1 where some never do or the chart
// could not be written, 2 where a flag is wrong.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// What the exit status says.
const (
	exitAll   = 0
	exitSome  = 1
	exitUsage = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// settings are what the flags ask for.
type settings struct {
	policy   policy.Policy
	messages int
	account  string
	start    time.Time
	seed     uint64
	svg      string // empty: no chart
}

func run(args []string, stdout, stderr io.Writer) int {
	complaints := log.New(stderr, "plan: ", 0)
	s, err := readSettings(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitAll
	}
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	found, err := s.forecast()
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	status := exitAll
	if found.StoppedBy != "" {
		status = exitSome
	}
	if err := show(stdout, s.policy, found); err != nil {
		complaints.Printf("standard output: %v", err)
		status = exitSome
	}
	if s.svg != "" {
		if err := writeChart(s.svg, found); err != nil {
			complaints.Printf("-svg: %v", err)
			status = exitSome
		}
	}
	return status
}

func readSettings(args []string, help io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("plan", flag.ContinueOnError)
	chosen := set.String("policy", "standard", "forecast under `SLUG`, a ready-made policy, or FILE.json")
	set.IntVar(&s.messages, "messages", 1000, "forecast `N` messages, each to another recipient")
	set.StringVar(&s.account, "account", "447700900000", "send from account `N`, whose pauses are its own")
	start := set.String("start", "2026-01-05T08:00:00Z", "begin at the time `RFC3339`")
	seed := set.Int64("seed", 1, "draw pauses by seed `N`")
	set.StringVar(&s.svg, "svg", "", "draw the forecast as an SVG chart into `FILE`")
	if err := flags.Parse(set, args, help, "-policy FILE"); err != nil {
		return s, err
	}
	var err error
	if s.start, err = flags.Start(*start); err != nil {
		return s, err
	}
	s.seed = flags.Seed(*seed)
	s.policy, err = flags.Policy(*chosen)
	return s, err
}

// forecast sends the messages on a limiter of its own.
func (s settings) forecast() (*limiter.Projection, error) {
	l, err := limiter.New(s.policy, &limiter.Options{Seed: s.seed})
	if err != nil {
		return nil, err
	}
	req := limiter.Request{Account: s.account, Action: policy.SendMessage, Portfolio: "portfolio"}
	return l.Forecast(s.start, req, s.messages)
}

// show writes what is to be known of the policy and the forecast.
func show(w io.Writer, p policy.Policy, found *limiter.Projection) error {
	var out bytes.Buffer // which takes everything
	warnings := p.Lint()
	for _, warning := range warnings {
		_, _ = fmt.Fprintf(&out, "note: %s\n", warning)
	}
	if len(warnings) > 0 {
		out.WriteByte('\n')
	}
	if err := found.WriteTable(&out); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeChart(name string, found *limiter.Projection) error {
	var chart bytes.Buffer
	if err := found.WriteSVG(&chart); err != nil {
		return err
	}
	return os.WriteFile(name, chart.Bytes(), 0o644)
}

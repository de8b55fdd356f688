// Command mutants breaks the library on purpose, one way at a time, and holds that
// the simulator of package queue notices, or a test of package limiter. It is run in
// the module's root and leaves the files as they are: the go command is told to read
// others in their place.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A mutant is one way to break the library: a text that stands once in a file, and
// what is put in its place.
type mutant struct {
	name, file, old, broken string
}

// A trial is a mutant and the test of package limiter that is to notice it. Where none
// is named it is the simulator.
type trial struct {
	mutant
	test string
}

func trials() (all []trial) {
	for _, m := range simulated() {
		all = append(all, trial{m, ""})
	}
	return append(all, limited()...)
}

// simulated are the mutants that the simulator is to notice.
func simulated() []mutant {
	return []mutant{
		{
			"a gap is drawn again on asking", "limiter/gap.go",
			"return m.over(r.key, due, sends), sends, true",
			"return m.over(r.key, due, sends^r.at.tick), sends, false",
		},
		{
			"a permit is not settled on a panic", "queue/worker.go",
			"w.permit.Settle(end.Done, end.outcome)",
			"if len(end.Err) < 20 || end.Err[:19] != \"the sender panicked\" {\n\t\tw.permit.Settle(end.Done, end.outcome)\n\t}",
		},
		{
			"a retry is overtaken", "queue/worker.go",
			"again := q.item(r, it.contact)",
			"again := q.item(r, it.contact)\n\tagain.seq = q.seq.Add(1)",
		},
		{
			"expiry is not checked at the wire", "queue/worker.go",
			"case r.expired(end.At):",
			"case r.expired(r.Enqueued):",
		},
		{
			"what was on the wire at a crash is sent again", "queue/load.go",
			"again.doubt(\"the queue ended while it was on the wire\")",
			"again.Status = Queued",
		},
		{
			"a restart forgets what was spent", "queue/worker.go",
			"q.begin(ctx, it, r, q.pace(j.lane))",
			"q.begin(ctx, it, r, nil)",
		},
		{
			"a restart forgets what checks have spent", "queue/verify.go",
			"q.keepPace(ctx, j.lane.account)",
			"context.Cause(ctx)",
		},
		{
			"what is in doubt is sent again and again", "queue/outcome.go",
			"r.InDoubt != ResendInDoubt || r.Resent {",
			"r.InDoubt != ResendInDoubt {",
		},
		{
			"nobody is a new contact", "queue/queue.go",
			"NewContact: it.contact,",
			"NewContact: false,",
		},
		{
			"what waits is not counted when a day is full", "queue/dayfull.go",
			"g.Remaining-req.Keep < q.waitFor(",
			"g.Remaining-req.Keep < 0*q.waitFor(",
		},
		{
			"a check that ends after the clock was set back is forgotten", "queue/verify.go",
			"next == it || next != nil",
			"next != nil",
		},
		{
			"a message is sent that the connection is gone for", "queue/worker.go",
			"if !q.connected(j.subject()) {",
			"if !q.connected(j.subject()) && j.item.way.typing > 0 {",
		},
		{
			"a restart forgets what a portfolio has spent", "queue/load.go",
			"if p.Shared != nil && p.Version",
			"if p.Shared == nil && p.Version",
		},
	}
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tests each mutant. What else it is given goes to the go command.
func run(ctx context.Context, flags []string) (err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if report, err := (trial{}).run(ctx, "", flags); err != nil {
		return fmt.Errorf("the simulator fails with nothing broken: %w\n%s", err, report)
	}
	for _, m := range trials() {
		overlay, err := m.write(dir)
		if err != nil {
			return err
		}
		report, err := m.run(ctx, overlay, flags)
		first, found := m.cause(report)
		switch {
		case err == nil:
			return fmt.Errorf("nobody noticed: %s", m.name)
		case !found:
			return fmt.Errorf("%s: it is not %s that fails: %w\n%s", m.name, m.noticer(), err, report)
		}
		fmt.Printf("noticed: %s\n\t%s\n", m.name, first)
	}
	return nil
}

// write writes a mutant's file and what tells the go command to read it, and returns
// the latter's name.
func (m mutant) write(dir string) (overlay string, err error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("%s: what it changes stands %d times in %s; change the mutant along with the code:\n%s", m.name, n, m.file, m.old)
	}
	broken := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), m.old, m.broken, 1)), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: broken}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// noticer is the test that is to notice the mutant.
func (t trial) noticer() string { return cmp.Or(t.test, "TestSimulate_Step") }

// run runs that test, until it fails. The flags are the simulator's.
func (t trial) run(ctx context.Context, overlay string, flags []string) (report string, err error) {
	args := []string{"test", "-run", "^" + t.noticer() + "$"}
	if overlay != "" {
		args = append(args, "-failfast", "-timeout", "5m", "-overlay", overlay)
	}
	if t.test != "" {
		args = append(args, "./limiter")
	} else {
		args = append(append(args, "./queue"), flags...)
	}
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(out), err
}

// cause is the first thing that the test reports.
func (t trial) cause(report string) (first string, found bool) {
	_, after, found := strings.Cut(report, "Error:")
	if !found || !strings.Contains(report, "--- FAIL: "+t.noticer()) {
		return "", false
	}
	first, _, _ = strings.Cut(after, "\n")
	return strings.TrimSpace(first), true
}

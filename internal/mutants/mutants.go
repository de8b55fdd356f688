// Command mutants breaks the library on purpose, one way at a time, and holds that
// the simulator of package queue notices. It is run in the module's root and leaves
// the files as they are: the go command is told to read others in their place.
package main

import (
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

func mutants() []mutant {
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
			"if r.expired(end.At) {",
			"if r.expired(r.Enqueued) {",
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
			"a message is sent that the connection is gone for", "queue/link.go",
			"if q.connected(j.subject()) {\n\t\treturn true\n\t}\n\tl, it := j.lane, j.item",
			"if q.connected(j.subject()) || j.item.way.typing == 0 {\n\t\treturn true\n\t}\n\tl, it := j.lane, j.item",
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
	if report, err := simulate(ctx, "", flags); err != nil {
		return fmt.Errorf("the simulator fails with nothing broken: %w\n%s", err, report)
	}
	for _, m := range mutants() {
		overlay, err := m.write(dir)
		if err != nil {
			return err
		}
		report, err := simulate(ctx, overlay, flags)
		first, found := cause(report)
		switch {
		case err == nil:
			return fmt.Errorf("nobody noticed: %s", m.name)
		case !found:
			return fmt.Errorf("%s: it is not the simulator that fails: %w\n%s", m.name, err, report)
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

// simulate runs the simulator, until it fails.
func simulate(ctx context.Context, overlay string, flags []string) (report string, err error) {
	args := []string{"test", "-failfast", "-timeout", "5m", "-run", "^TestSimulate_Step$", "-overlay", overlay, "./queue"}
	if overlay == "" {
		args = []string{"test", "-run", "^TestSimulate_Step$", "./queue"}
	}
	out, err := exec.CommandContext(ctx, "go", append(args, flags...)...).CombinedOutput()
	return string(out), err
}

// cause is the first thing that the simulator reports.
func cause(report string) (first string, found bool) {
	_, after, found := strings.Cut(report, "Error:")
	if !found || !strings.Contains(report, "--- FAIL: TestSimulate_Step") {
		return "", false
	}
	first, _, _ = strings.Cut(after, "\n")
	return strings.TrimSpace(first), true
}

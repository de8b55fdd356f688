// Command quickstart paces a campaign from a CSV file under a policy. Its sender
// reaches nobody: it takes as long as a real one and always succeeds.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -virtual -json -in campaign.csv -policy strict
//
// Without -virtual the messages go out in real time. With it a virtual clock jumps
// from one event to the next, so that a day passes in well under a second and the
// whole schedule can be read at once. Run it with -h for the flags.
//
// The file is CSV by RFC 4180 in UTF-8, with a header that names the columns to
// and text. A row that cannot be sent is reported on standard error and the others
// go out. The exit status is 0 where all were sent, 1 where some were not, 2 where
// a flag or the file is wrong and nothing was sent.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
)

// What the exit status says.
const (
	exitSent  = 0
	exitSome  = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait for the first
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program. When ctx is done it lets the message on the wire finish and
// says how many were not sent.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	complaints := log.New(stderr, "quickstart: ", 0)
	s, err := readSettings(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitSent
	}
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	c, err := newCampaign(s, stdout)
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	rejected, err := c.load(ctx, log.New(stderr, "", 0))
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	status := exitSent
	if rejected > 0 {
		status = exitSome
	}
	for _, err := range c.pace(ctx, rejected) {
		complaints.Print(err)
		status = exitSome
	}
	return status
}

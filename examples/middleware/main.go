// Command middleware serves an API whose clients are on four plans, each with a limit
// per minute, hour and day, and with four endpoints that have limits of their own.
// What an endpoint does is not there; what it may is.
//
//	go run ./examples/middleware
//	curl -i -H 'X-API-Key: free' http://127.0.0.1:8080/api/v1/messages
//	curl -i -X POST -H 'X-API-Key: premium' http://127.0.0.1:8080/api/v1/messages/bulk
//
// The keys are free, basic, premium and enterprise, each on the plan of that name; a
// real service asks its database. It listens on this machine alone. Run it with -h
// for the flags.
//
// The exit status is 0 where it was told to stop, 1 where it could not serve, 2 where
// a flag is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wapace/wapace/limiter"
)

// What the exit status says.
const (
	exitStopped = 0
	exitFailed  = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait for the first
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program. It serves until ctx is done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	complaints := log.New(stderr, "middleware: ", 0)
	flags := flag.NewFlagSet("middleware", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "where to listen; port 0 takes a free one")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitStopped
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		complaints.Printf("argument %q: give flags only", flags.Arg(0))
		return exitUsage
	}
	api, err := newAPI(limiter.RealClock())
	if err == nil {
		err = serve(ctx, *addr, api, stdout)
	}
	if err != nil {
		complaints.Print(err)
		return exitFailed
	}
	return exitStopped
}

// grace is how long requests in progress may go on after the program was told to
// stop.
const grace = 10 * time.Second

var errGrace = fmt.Errorf("requests in progress did not end within %v", grace)

// serve serves until ctx is done, and then lets what is in progress end.
func serve(ctx context.Context, addr string, h http.Handler, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	if _, err := fmt.Fprintf(stdout, "http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// ctx has ended, so the grace is counted on a context of its own.
	last, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	go func() {
		select {
		case <-limiter.RealClock().After(grace):
			cancel(errGrace)
		case <-last.Done():
		}
	}()
	if server.Shutdown(last) != nil {
		err = errors.Join(context.Cause(last), server.Close())
	}
	if why := <-ended; !errors.Is(why, http.ErrServerClosed) {
		err = errors.Join(err, why)
	}
	return err
}

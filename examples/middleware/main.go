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
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/examples/internal/web"
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
	set := flag.NewFlagSet("middleware", flag.ContinueOnError)
	addr := set.String("addr", "127.0.0.1:8080", "listen on `HOST:PORT`; port 0 takes a free one")
	err := flags.Parse(set, args, stdout, "-addr HOST:PORT")
	if errors.Is(err, flag.ErrHelp) {
		return exitStopped
	}
	if err != nil {
		complaints.Print(err)
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

// serve says where it listens, and serves until ctx is done.
func serve(ctx context.Context, addr string, h http.Handler, stdout io.Writer) error {
	listener, err := web.Listen(ctx, addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return web.Serve(ctx, listener, h)
}

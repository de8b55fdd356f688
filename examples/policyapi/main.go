// Command policyapi lets the customers of a sending service choose their policies
// over HTTP, as Wawp does, and keeps what they chose in a JSON file.
//
//	go run ./examples/policyapi -file accounts.json
//	curl 'http://127.0.0.1:8080/v2/session/rate-limit?instance_id=Your_Instance_ID&access_token=YOUR_ACCESS_TOKEN'
//	curl -X PATCH -d policy_slug=strict 'http://127.0.0.1:8080/v2/session/rate-limit?instance_id=Your_Instance_ID&access_token=YOUR_ACCESS_TOKEN'
//
// It listens on this machine alone. Who may ask is what -free and -paid say; a real
// service asks its database. Run it with -h for the flags.
//
// The exit status is 0 where it was told to stop, 1 where it could not serve or the
// file is no file of accounts, 2 where a flag is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/wapace/wapace/examples/internal/web"
	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
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
	complaints := log.New(stderr, "policyapi: ", 0)
	s, err := readSettings(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitStopped
	}
	if err != nil {
		complaints.Print(err)
		return exitUsage
	}
	api, err := newAPI(ctx, s, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		complaints.Print(err)
		return exitFailed
	}
	if err := serve(ctx, s.addr, api, stdout); err != nil {
		complaints.Print(err)
		return exitFailed
	}
	return exitStopped
}

// newAPI puts a limiter under what the file says, and makes the handler that changes
// it. A service would send through the limiter too, as examples/quickstart does.
func newAPI(ctx context.Context, s settings, logger *slog.Logger) (http.Handler, error) {
	clock := limiter.RealClock()
	l, err := limiter.New(policy.Standard(), nil)
	if err != nil {
		return nil, err
	}
	offers, err := catalog()
	if err != nil {
		return nil, err
	}
	file, err := registry.OpenFile(s.file)
	if err != nil {
		return nil, err
	}
	accounts, err := registry.Open(ctx, clock.Now(), l, offers, file)
	if err != nil {
		return nil, err
	}
	for id, i := range s.instances {
		if err := accounts.SetPaid(ctx, clock.Now(), id, i.paid, "the command line"); err != nil {
			return nil, err
		}
	}
	api, err := headers.PolicyAPI(accounts, s.instances.authenticate, &headers.PolicyOptions{Clock: clock, Logger: logger})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(headers.PolicyPath, api)
	return mux, nil
}

// serve says where it listens, and serves until ctx is done.
func serve(ctx context.Context, addr string, h http.Handler, stdout io.Writer) error {
	listener, err := web.Listen(ctx, addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "listening on http://%s%s\n", listener.Addr(), headers.PolicyPath); err != nil {
		return errors.Join(err, listener.Close())
	}
	return web.Serve(ctx, listener, h)
}

// Package web serves a program's handler until the program is told to stop.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/wapace/wapace/limiter"
)

// patience is how long a client may take for a request and for its answer.
const patience = 5 * time.Second

// grace is how long requests in progress may go on after the program was told to
// stop.
const grace = 10 * time.Second

// Listen listens on addr, HOST:PORT, where port 0 takes a free one.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// Serve serves on the listener until ctx is done, and then lets what is in progress
// end. It closes the listener. The error is nil where everything has ended.
func Serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// ctx has ended, so the grace is counted on a context of its own.
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	alarm := limiter.RealClock().After(grace)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Shutdown(last) }()
	var err error
	select {
	case err = <-stopped:
	case <-alarm:
		cancel()
		err = errors.Join(fmt.Errorf("requests in progress did not end within %v", grace), <-stopped, server.Close())
	}
	if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

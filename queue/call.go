package queue

import (
	"context"
	"sync"
)

// A call is the context of one call of the user's code that can be ended before that of
// all calls is. Most calls return without a look at it, so it is a cancelled context
// only once somebody looks: making one for each takes a lock that all calls share.
type call struct {
	context.Context //nolint:containedctx // of all calls

	mu    sync.Mutex
	own   context.Context //nolint:containedctx // it stands in for it; nil where nobody has looked
	end   context.CancelFunc
	ended bool
}

func newCall(ctx context.Context) *call { return &call{Context: ctx} }

// cancel ends the call.
func (c *call) cancel() {
	c.mu.Lock()
	end := c.end
	c.ended = true
	c.mu.Unlock()
	if end != nil {
		end()
	}
}

// seen is the context that the call is once somebody has looked.
func (c *call) seen() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		c.own, c.end = context.WithCancel(c.Context)
		if c.ended {
			c.end()
		}
	}
	return c.own
}

// unseen reports whether nobody has looked and nothing has ended the call itself.
func (c *call) unseen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own == nil && !c.ended
}

// Done is closed when the call is over.
func (c *call) Done() <-chan struct{} { return c.seen().Done() }

// Err says why the call is over.
func (c *call) Err() error {
	if c.unseen() {
		return c.Context.Err()
	}
	return c.seen().Err()
}

// Value is the context's, which package context also asks for what it knows of it.
func (c *call) Value(key any) any {
	if c.unseen() {
		return c.Context.Value(key)
	}
	return c.seen().Value(key)
}

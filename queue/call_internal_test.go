package queue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

type valueKey struct{}

func TestCall(t *testing.T) {
	t.Parallel()
	over := errors.New("all are over")
	for name, test := range map[string]struct {
		look   bool // before it ends
		end    func(all context.CancelCauseFunc, c *call)
		cause  error
		ending bool
	}{
		"goes on":                     {end: func(context.CancelCauseFunc, *call) {}},
		"goes on, seen":               {look: true, end: func(context.CancelCauseFunc, *call) {}},
		"ends":                        {end: func(_ context.CancelCauseFunc, c *call) { c.cancel() }, cause: context.Canceled, ending: true},
		"ends, seen":                  {look: true, end: func(_ context.CancelCauseFunc, c *call) { c.cancel() }, cause: context.Canceled, ending: true},
		"ends twice":                  {look: true, end: func(_ context.CancelCauseFunc, c *call) { c.cancel(); c.cancel() }, cause: context.Canceled, ending: true},
		"ends with all":               {end: func(all context.CancelCauseFunc, _ *call) { all(over) }, cause: over, ending: true},
		"ends with all, seen":         {look: true, end: func(all context.CancelCauseFunc, _ *call) { all(over) }, cause: over, ending: true},
		"ends, and then all do, seen": {look: true, end: func(all context.CancelCauseFunc, c *call) { c.cancel(); all(over) }, cause: context.Canceled, ending: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				all, cancel := context.WithCancelCause(context.WithValue(t.Context(), valueKey{}, 1))
				defer cancel(nil)
				c := newCall(all)
				if test.look {
					require.NotNil(t, c.Done())
				}
				test.end(cancel, c)
				require.Equal(t, test.ending, c.Err() != nil)
				require.Equal(t, test.cause, context.Cause(c))
				require.Equal(t, 1, c.Value(valueKey{}))

				child, stop := context.WithCancel(c)
				defer stop()
				told := false
				defer context.AfterFunc(c, func() { told = true })()
				synctest.Wait()
				require.Equal(t, test.ending, told)
				require.Equal(t, c.Err(), child.Err())
				select {
				case <-c.Done():
					require.True(t, test.ending)
				default:
					require.False(t, test.ending)
				}
				require.NoError(t, context.WithoutCancel(c).Err())
				require.Equal(t, c.Done(), c.Done(), "it stays the same")
			})
		})
	}
}

func TestCall_UnseenTakesOneObject(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	all, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		c := newCall(all)
		if c.Err() != nil {
			t.Fail()
		}
		c.cancel()
	}), 1.0)
}

package headers_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestSuspend(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	h, l := guarded(t, perMinute(1), ok, &headers.Options{
		Clock:   &clock,
		Suspend: headers.Suspend{After: 3, Within: 10 * time.Minute, For: time.Hour},
	})
	for i, step := range []struct {
		after  time.Duration // since the step before
		key    string
		status int
		retry  string
		held   bool
	}{
		{0, "a", 200, "", false},
		{0, "a", 429, "60", false},
		{0, "b", 200, "", false}, // others are left alone
		{0, "a", 429, "60", false},
		{11 * time.Minute, "a", 200, "", false}, // two strikes are too old now
		{0, "a", 429, "60", false},
		{time.Second, "a", 429, "59", false},
		{time.Second, "a", 429, "3600", true}, // the third: held from now on
		{time.Minute, "a", 429, "3540", true}, // which is no strike
		{0, "b", 200, "", false},
		{59*time.Minute - 1, "a", 429, "1", true},
		{1, "a", 200, "", false},
		{0, "a", 429, "60", false},
	} {
		clock.Advance(step.after)
		answer := call(h, http.MethodGet, "/", step.key)
		require.Equal(t, step.status, answer.StatusCode, "step %d", i)
		require.Equal(t, step.retry, answer.Header.Get("Retry-After"), "step %d", i)
		held := l.Check(clock.Now(), limiter.Request{Account: step.key, Action: "x"}).Rule == "hold"
		require.Equal(t, step.held, held, "step %d", i)
		if step.held {
			require.Contains(t, body(t, answer), "#abnormal-usage-detected")
		}
	}
}

func TestSuspendAtTheFirstRefusal(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, perMinute(1), ok, &headers.Options{
		Clock:   &queuetest.Clock{},
		Suspend: headers.Suspend{After: 1, Within: time.Second, For: time.Hour},
	})
	call(h, http.MethodGet, "/", "a")
	require.Equal(t, "3600", call(h, http.MethodGet, "/", "a").Header.Get("Retry-After"))
}

// An account is held exactly when so many of its refusals lie within the time.
func TestSuspendCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := headers.Suspend{
			After:  rapid.Int64Range(1, 4).Draw(t, "after"),
			Within: time.Duration(rapid.IntRange(1, 90).Draw(t, "within")) * time.Second,
			For:    time.Duration(rapid.IntRange(1, 90).Draw(t, "for")) * time.Second,
		}
		var clock queuetest.Clock
		l, err := limiter.New(perMinute(1), &limiter.Options{Seed: 1})
		require.NoError(t, err)
		wrap, err := headers.Middleware(l, byKey, &headers.Options{Clock: &clock, Suspend: s})
		require.NoError(t, err)
		h := wrap(http.HandlerFunc(ok))

		var strikes []time.Time // those that count
		var free, held time.Time
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			clock.Advance(time.Duration(rapid.IntRange(0, 40).Draw(t, "later")) * time.Second)
			now := clock.Now()
			answer := call(h, http.MethodGet, "/", "a")
			switch {
			case now.Before(held):
				require.Equal(t, 429, answer.StatusCode)
			case !now.Before(free):
				require.Equal(t, 200, answer.StatusCode)
				free = now.Add(time.Minute)
				continue
			default:
				recent := int64(1)
				for _, at := range strikes {
					if now.Sub(at) < s.Within {
						recent++
					}
				}
				if recent >= s.After {
					held = now.Add(s.For)
				} else {
					strikes = append(strikes, now)
				}
			}
			until := free
			if held.After(until) {
				until = held
			}
			require.Equal(t, strconv.Itoa(int(until.Sub(now)/time.Second)), answer.Header.Get("Retry-After"))
		}
	})
}

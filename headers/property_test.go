package headers_test

import (
	"math/big"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/headers"
)

// TestNumbersAreReadExactly compares with a reading in exact fractions.
func TestNumbersAreReadExactly(t *testing.T) {
	t.Parallel()
	second := big.NewRat(1e9, 1)
	clock := new(big.Rat).SetInt64(vectorTime.Unix())
	day := big.NewRat(24*60*60*1e9, 1)
	power := func(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
	// read is the time to wait in nanoseconds, nil where there is none.
	read := func(line string, saturates bool) *big.Rat {
		value, ok := new(big.Rat).SetString(line)
		if !ok {
			return nil
		}
		whole := new(big.Int).Quo(value.Num(), value.Denom())
		if !whole.IsInt64() {
			if saturates {
				return day
			}
			return nil
		}
		var unit *big.Int
		switch {
		case whole.Cmp(power(9)) < 0:
			return value.Mul(value, second)
		case whole.Cmp(power(11)) < 0:
			unit = power(0)
		case whole.Cmp(power(14)) < 0:
			unit = power(3)
		case whole.Cmp(power(16)) < 0:
			unit = power(6)
		default:
			unit = power(9)
		}
		value.Quo(value, new(big.Rat).SetInt(unit))
		return value.Mul(value.Sub(value, clock), second)
	}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringMatching(`[0-9]{1,21}(\.[0-9]{1,12})?`).Draw(t, "line")
		if rapid.Bool().Draw(t, "near") {
			line = rapid.StringMatching(`1786(79|80)[0-9]{4}(000|000000|000000000)?(\.[0-9]{1,12})?`).Draw(t, "line")
		}
		check := func(field string, got time.Duration, kind headers.Kind, want *big.Rat) {
			if (want == nil) != (kind == 0) {
				t.Fatalf("%s: %s is read as %v of kind %q", field, line, got, kind)
			}
			if want == nil {
				return
			}
			if want.Sign() < 0 {
				want = new(big.Rat)
			}
			if want.Cmp(day) > 0 {
				want = day
			}
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), want)
			// Rounded up to a nanosecond, but for parts of one at the end of an epoch in
			// nanoseconds, which no sender means.
			if off.Cmp(big.NewRat(-1, 1)) <= 0 || off.Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("%s: %s is read as %v, want %s ns", field, line, got, want.FloatString(3))
			}
		}
		retry := parsed(http.StatusTooManyRequests, "", "Retry-After: "+line)
		check("Retry-After", retry.Wait, retry.Kind, read(line, true))
		reset := parsed(http.StatusOK, "", "X-RateLimit-Reset: "+line)
		check("X-RateLimit-Reset", reset.Reset, reset.ResetKind, read(line, false))
	})
}

// TestClientIsFoundFromTheRight builds a way through proxies from the client on, and
// has the client make up what it likes before.
func TestClientIsFoundFromTheRight(t *testing.T) {
	t.Parallel()
	key, err := headers.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	require.NoError(t, err)
	proxies := []string{"10.0.0.1", "10.255.255.255", "fd00::1", "[fd00::2]:443", "10.0.0.3:80"}
	clients := map[string]string{"198.51.100.7": "198.51.100.7", "9.255.255.255:80": "9.255.255.255", "[2001:db8::5]:443": "2001:db8::/64",
		"2001:db8:0:1::": "2001:db8:0:1::/64", "::ffff:198.51.100.8": "198.51.100.8", "11.0.0.0": "11.0.0.0"}
	var names []string
	for name := range clients {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		claim := rapid.SliceOfN(rapid.SampledFrom(append(append([]string{"", "evil", "10.0.0.1", `"`}, proxies...), names...)), 0, 4).Draw(t, "claim")
		client := rapid.SampledFrom(names).Draw(t, "client")
		through := rapid.SliceOfN(rapid.SampledFrom(proxies), 0, 4).Draw(t, "through")
		way := append(append(claim, client), through...)

		h := http.Header{}
		for len(way) > 0 { // a list may be cut into lines anywhere
			n := rapid.IntRange(1, len(way)).Draw(t, "line")
			h.Add("X-Forwarded-For", strings.Join(way[:n], rapid.SampledFrom([]string{",", ", ", " ,\t"}).Draw(t, "comma")))
			way = way[n:]
		}
		got, err := key(&http.Request{RemoteAddr: "10.9.9.9:1234", Header: h})
		if err != nil || got != clients[client] {
			t.Fatalf("%v leads to %q, not to %q: %v", h, got, clients[client], err)
		}
	})
}

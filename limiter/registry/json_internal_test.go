package registry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode holds reading to its word for any bytes: an error, or accounts that
// may be and that are written and read back as they are.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"accounts":[{"account":"a","policy":"strict","paid":true,"changes":[{"at":"2026-01-05T08:00:00+05:45","by":"u","policy":"strict","paid":true}]}]}`))
	f.Add([]byte("\ufeff" + `{"VERSION":1,"accounts":[],"accounts":[]}`))
	f.Add([]byte(`{"version":1,"accounts":[{"account":"\ud800"},{"account":"\ufffd"}]}`))
	f.Add([]byte(`{"version":1,"accounts":[null,{"account":"a","changes":null}]} {}`))
	f.Add([]byte(`{"version":1,"accounts":[{"account":"a","changes":[{"at":"0001-01-01T00:00:00+23:59","by":"b"}]}]}`))
	f.Add([]byte(`{"version":1e0,"accounts":{}}`))
	f.Add([]byte("[[[[{{{{\"\":"))
	f.Fuzz(func(t *testing.T, data []byte) {
		accounts, err := decode(data)
		if err != nil {
			return
		}
		for _, a := range accounts {
			require.NoError(t, a.check())
		}
		written, err := encode(accounts)
		require.NoError(t, err)
		back, err := decode(written)
		require.NoError(t, err)
		require.Equal(t, accounts, back)
	})
}

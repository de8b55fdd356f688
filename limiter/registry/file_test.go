package registry_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter/registry"
)

func openFile(t require.TestingT, path string) *registry.File {
	f, err := registry.OpenFile(path)
	require.NoError(t, err)
	return f
}

func write(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "accounts.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFileKeepsAccounts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accounts.json")
	l, r := setup(t, openFile(t, path))
	require.NoFileExists(t, path, "nothing was changed")
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user <1>"))
	require.NoError(t, r.SetPaid(t.Context(), monday.Add(1), "b", true, "billing"))

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `{
 "version": 1,
 "accounts": [
  {
   "account": "447700900001",
   "policy": "strict",
   "paid": false,
   "changes": [
    {
     "at": "2026-01-05T08:00:00Z",
     "by": "user <1>",
     "policy": "strict",
     "paid": false
    }
   ]
  },
  {
   "account": "b",
   "policy": "",
   "paid": true,
   "changes": [
    {
     "at": "2026-01-05T08:00:00.000000001Z",
     "by": "billing",
     "policy": "",
     "paid": true
    }
   ]
  }
 ]
}
`, string(data))
	require.Equal(t, "strict", l.PolicyOf(alice).Slug)

	l, again := setup(t, openFile(t, path))
	require.Equal(t, r.Accounts(), again.Accounts())
	require.Equal(t, "strict", l.PolicyOf(alice).Slug)
}

// A file that is wrong in any way is named with the place, and stays as it is.
func TestFileThatIsWrong(t *testing.T) {
	t.Parallel()
	const account = `{"version":1,"accounts":[{"account":"a","policy":"strict","paid":false,"changes":[%s]}]}`
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1: the file ends too soon"},
		{"half", "{\"version\":1,\n\"accounts\":[{\"acc", "line 2: the file ends too soon"},
		{"not JSON", "{\n  policies", "line 2: invalid character 'p'"},
		{"another kind", "{\n\"version\":\"one\"}", "line 2: version cannot be a string"},
		{"a list", "[]", "line 1: the file cannot be a array"},
		{"null", "null", "version missing"},
		{"unknown field", `{"version":1,"accounts":[],"users":[]}`, `unknown field "users"`},
		{"no version", `{"accounts":[]}`, `version missing: write "version": 1`},
		{"newer", `{"version":2,"accounts":[]}`, "version 2: this program reads 1"},
		{"no accounts", `{"version":1}`, "accounts missing: write [] for none"},
		{"two documents", "{\"version\":1,\"accounts\":[]}\n{}", "line 2: more than one document"},
		{"a key twice", `{"version":1,"accounts":[{"account":"a","paid":true}],"Accounts":[{"account":"b"}]}`, `"Accounts" is given twice`},
		{"an account twice", `{"version":1,"accounts":[{"account":"447700900001"},{"account":"447700900001"}]}`, `accounts[1]: registry: cannot be: account "4477******01": given twice`},
		{"every bad account", `{"version":1,"accounts":[{"account":""},{"account":"a\u0000"}]}`, "accounts[1]"},
		{"no by", fmt.Sprintf(account, `{"at":"2026-01-05T08:00:00Z","by":"","policy":"","paid":false}`), `by ""`},
		{"no time", fmt.Sprintf(account, `{"at":"yesterday","by":"a"}`), `yesterday`},
		{"year 0", fmt.Sprintf(account, `{"at":"0000-01-05T08:00:00Z","by":"a"}`), `use a year of 1 to 9999`},
		{"too many changes", fmt.Sprintf(account, strings.Repeat(`{"at":"2026-01-05T08:00:00Z","by":"a"},`, 100)+`{"at":"2026-01-05T08:00:00Z","by":"a"}`), "keep at most 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.text)
			_, err := registry.OpenFile(path)
			require.ErrorIs(t, err, registry.ErrFile)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, path)
			require.NotContains(t, err.Error(), alice)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, tt.text, string(data))
		})
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, err := registry.OpenFile(t.TempDir())
	require.ErrorContains(t, err, "is a directory")
}

// What cannot be written changes nothing, on the disk or off it.
func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	path := write(t, `{"version":1,"accounts":[]}`)
	_, r := setup(t, openFile(t, path))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	require.NoError(t, os.MkdirAll(filepath.Join(path+".new", "in the way"), 0o700))
	require.ErrorContains(t, r.Choose(t.Context(), monday, alice, "standard", "user"), "accounts.json.new")
	require.Equal(t, "strict", r.Policy(alice).Slug)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)

	require.NoError(t, os.RemoveAll(path+".new"))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "standard", "user"))
	require.Len(t, r.Account(alice).Changes, 2)
}

// A crash may leave a file beside the one in force. The next change writes over it,
// whatever it holds, and leaves none.
func TestFileLeftByACrash(t *testing.T) {
	t.Parallel()
	path := write(t, `{"version":1,"accounts":[]}`)
	require.NoError(t, os.WriteFile(path+".new", []byte(strings.Repeat("half", 1000)), 0o600))
	_, r := setup(t, openFile(t, path))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	require.NoFileExists(t, path+".new")
	_, again := setup(t, openFile(t, path))
	require.Equal(t, r.Accounts(), again.Accounts())
}

// In a folder that others may write to, a link in the place of the new file must not
// be followed.
func TestFileFollowsNoLinkBesideIt(t *testing.T) {
	t.Parallel()
	path := write(t, `{"version":1,"accounts":[]}`)
	victim := filepath.Join(t.TempDir(), "victim")
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o644))
	require.NoError(t, os.Symlink(victim, path+".new"))
	_, r := setup(t, openFile(t, path))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(data))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular())
}

func TestFileKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	path := write(t, `{"version":1,"accounts":[]}`)
	require.NoError(t, os.Chmod(path, 0o640))
	link := filepath.Join(t.TempDir(), "link.json")
	require.NoError(t, os.Symlink(path, link))
	_, r := setup(t, openFile(t, link))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())

	fresh := filepath.Join(t.TempDir(), "fresh.json")
	_, r = setup(t, openFile(t, fresh))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	info, err = os.Stat(fresh)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "phone numbers are nobody else's")
}

// Any accounts that a store may be given come back as they were.
func TestFileLosesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(folder, "accounts.json")
		_ = os.Remove(path)
		f := openFile(t, path)
		texts := rapid.StringN(1, 20, 250)
		for range rapid.IntRange(1, 5).Draw(t, "accounts") {
			a := registry.Account{
				Name:   strings.ReplaceAll(texts.Draw(t, "name"), "\x00", "0"),
				Policy: rapid.String().Draw(t, "policy"),
				Paid:   rapid.Bool().Draw(t, "paid"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				a.Changes = append(a.Changes, registry.Change{
					At:     time.Unix(rapid.Int64Range(-1<<35, 1<<37).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
					By:     texts.Draw(t, "by"),
					Policy: rapid.String().Draw(t, "policy"),
					Paid:   rapid.Bool().Draw(t, "paid"),
				})
			}
			require.NoError(t, f.Save(t.Context(), a))
		}
		want, err := f.Load(t.Context())
		require.NoError(t, err)
		got, err := openFile(t, path).Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

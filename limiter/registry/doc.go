// Package registry knows which account has chosen which policy, whether it may,
// and who changed that when.
//
// A [Registry] stands in front of a limiter: [Registry.Choose] asks the catalog
// whether the account may have the policy, keeps the choice in a [Store], and puts
// the running limiter under it, which forgets nothing that was spent. [Open] puts a
// limiter under what was kept before.
//
// [Memory] keeps choices as long as the process, [OpenFile] in a JSON file. The
// package reads no clock: changes are given their time.
package registry

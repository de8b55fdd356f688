//go:build race

package queue_test

// How many campaigns the tests of estimates send: fewer where each step takes longer.
const campaigns, exactCampaigns = 40, 40

//go:build race

package graph_test

// slowness is how many times as long everything takes with the race detector.
const slowness = 10

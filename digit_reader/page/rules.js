// The rules by which ink becomes digits: for the page, and for parts.py, which reads this file.
export const RULES = {
  "ink": 0.5,
  "faint": 0.15,
  "weak": 0.7,
  "speck": 0.05,
  "short": 0.125,
  "small": 0.25,
  "flat": 6,
  "link_gap": 0.3,
  "near_gap": 0.12,
  "stroke_beside": 0.65,
  "stroke_above": 0.6,
  "stacked_across": 0.25,
  "stroke_across": 0.5,
  "side_across": 0.4,
  "stacked_gap": 0.12,
  "stroke_gap": 0.22,
  "gap": 0.6,
  "gap_times": 2.2,
  "gap_of_two": 1.5,
  "many": 300,
  "most": 99
};

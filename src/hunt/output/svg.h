#pragma once
#include <string>

#include "hunt/output/pictures.h"

namespace beaconry {

// The page's figures: inline SVG that the page's style sheet colours, each with its words for who
// cannot see it. Sizes are in the view box; the page stretches them.

std::string timeline_svg(const Timeline& line);
std::string histogram_svg(const Histogram& histogram, const std::string& words);

// Each interval as a dot at the time it ended, between `least` and `most` seconds, with a dashed
// line at the median. At most a few hundred dots: long series are thinned evenly.
std::string interval_dots_svg(const CheckIns& check_ins, double least, double most, double median);

std::string meter_svg(double share);  // 0..1

}  // namespace beaconry

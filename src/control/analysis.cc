#include "control/analysis.h"
namespace beaconry {}
